"""Routes of /api/v1/me/: what spans apps, for whoever asks."""

from django.urls import path

from .complete import CompleteView

urlpatterns = [path("complete-view", CompleteView.as_view(), name="api-complete-view")]
