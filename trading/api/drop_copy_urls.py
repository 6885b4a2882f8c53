"""Routes of drop copies under /api/v1/trading/."""

from django.urls import path

from .drop_copy import AssignSeveralView, AssignView, InboxViewSet, RetryView, SettleView

urlpatterns = [
    path("drop-copy", InboxViewSet.as_view({"get": "list"}), name="api-drop-copy"),
    path("drop-copy/assign", AssignSeveralView.as_view(), name="api-drop-copy-assign-several"),
    path(
        "drop-copy/<int:message_id>",
        InboxViewSet.as_view({"get": "retrieve"}),
        name="api-drop-copy-message",
    ),
    path("drop-copy/<int:message_id>/retry", RetryView.as_view(), name="api-drop-copy-retry"),
    path("drop-copy/<int:message_id>/assign", AssignView.as_view(), name="api-drop-copy-assign"),
    path("drop-copy/<int:message_id>/settle", SettleView.as_view(), name="api-drop-copy-settle"),
]
