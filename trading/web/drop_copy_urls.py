"""Routes of the pages of drop copies."""

from django.urls import path

from . import drop_copy

urlpatterns = [
    path("drop-copy/", drop_copy.InboxPage.as_view(), name="drop_copy"),
    path("drop-copy/<int:message_id>/", drop_copy.message, name="drop_copy_message"),
    path("drop-copy/<int:message_id>/retry/", drop_copy.try_again, name="drop_copy_retry"),
    path("drop-copy/<int:message_id>/assign/", drop_copy.assign, name="drop_copy_assign"),
    path("drop-copy/<int:message_id>/settle/", drop_copy.settle, name="drop_copy_settle"),
]
