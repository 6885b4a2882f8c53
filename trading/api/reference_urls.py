"""Routes of reference data under /api/v1/trading/."""

from django.urls import path

from .reference import (
    AgreementViewSet,
    BookViewSet,
    CounterpartyViewSet,
    DeliveryHoursView,
    DeliveryPointViewSet,
    IndexViewSet,
    PlantViewSet,
    ShapeViewSet,
)

LIST, ONE = {"get": "list"}, {"get": "retrieve"}

urlpatterns = [
    path(
        "counterparties",
        CounterpartyViewSet.as_view({"get": "list", "post": "create"}),
        name="api-counterparties",
    ),
    path(
        "counterparties/<uuid:counterparty_id>",
        CounterpartyViewSet.as_view(ONE),
        name="api-counterparty",
    ),
    path("agreements", AgreementViewSet.as_view(LIST), name="api-agreements"),
    path("agreements/<uuid:agreement_id>", AgreementViewSet.as_view(ONE), name="api-agreement"),
    path("delivery-points", DeliveryPointViewSet.as_view(LIST), name="api-delivery-points"),
    path(
        "delivery-points/<str:code>", DeliveryPointViewSet.as_view(ONE), name="api-delivery-point"
    ),
    path(
        "delivery-points/<str:code>/hours", DeliveryHoursView.as_view(), name="api-delivery-hours"
    ),
    path("indices", IndexViewSet.as_view(LIST), name="api-indices"),
    path("indices/<str:code>", IndexViewSet.as_view(ONE), name="api-index"),
    path("plants", PlantViewSet.as_view(LIST), name="api-plants"),
    path("plants/<str:code>", PlantViewSet.as_view(ONE), name="api-plant"),
    path("books", BookViewSet.as_view(LIST), name="api-books"),
    path("books/<uuid:book_id>", BookViewSet.as_view(ONE), name="api-book"),
    path("shapes", ShapeViewSet.as_view(LIST), name="api-shapes"),
]
