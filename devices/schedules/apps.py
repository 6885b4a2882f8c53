from django.apps import AppConfig


class SchedulesConfig(AppConfig):
    name = "devices.schedules"
    label = "schedules"
    verbose_name = "Device schedules"
