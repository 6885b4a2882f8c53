"""Websocket routes of risk."""

from django.urls import path

from .consumers import BookRiskConsumer

websocket_urlpatterns = [path("ws/risk/<uuid:book_id>/", BookRiskConsumer.as_asgi())]
