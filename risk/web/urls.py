"""Pages of risk."""

from django.urls import path

from . import pages

app_name = "risk"
urlpatterns = [
    path("", pages.home, name="home"),
    path("state/<uuid:book_id>/", pages.state, name="state"),
    path("limits/<uuid:book_id>/", pages.limit, name="limit"),
]
