"""Websocket routes of trading."""

from django.urls import path

from .consumers import BlotterConsumer

websocket_urlpatterns = [path("ws/trades/", BlotterConsumer.as_asgi())]
