from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "energyopti.foundation.events"
    label = "events"
    verbose_name = "Event log"
