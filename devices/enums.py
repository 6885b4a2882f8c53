"""Words that other apps use with devices."""

from django.db import models


class Transport(models.TextChoices):
    HTTP = "http", "HTTP poll"
    MQTT = "mqtt", "MQTT"
