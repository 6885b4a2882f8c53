"""Everything under /api/: the apps' routes from the registry, the OpenAPI document, its pages."""

from django.urls import include, path

from .routes import API_ROUTES
from .web.docs import AsyncApiView, SchemaView, docs, operation_docs

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("asyncapi/", AsyncApiView.as_view(), name="api-asyncapi"),
    path("docs/", docs, name="api-docs"),
    path("docs/<slug:operation_id>/", operation_docs, name="api-docs-operation"),
    *(path(routes.mount, include(routes.urlconf)) for routes in API_ROUTES.values()),
]
