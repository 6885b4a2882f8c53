"""Routes of the pages that span apps."""

from django.conf import settings
from django.urls import path

from . import complete, gallery, home, preferences, root_files

app_name = "portal"
urlpatterns = [
    path("", home.home, name="home"),
    path("me/complete-view/", complete.complete, name="complete"),
    path("search/", home.search, name="search"),
    path("settings/page/", preferences.preferences, name="preferences"),
    path("settings/theme/", preferences.theme, name="theme"),
    path("manifest.webmanifest", root_files.manifest, name="manifest"),
    path("sw.js", root_files.service_worker, name="service-worker"),
    path("offline/", root_files.offline, name="offline"),
    path("robots.txt", root_files.robots, name="robots"),
]
if getattr(settings, "COMPONENT_GALLERY", False):
    urlpatterns += [
        path("gallery/", gallery.gallery, name="gallery"),
        path("gallery/table/", gallery.ExampleTablePage.as_view(), name="gallery-table"),
        path("gallery/errors/<int:status>/", gallery.error, name="gallery-error"),
    ]
