"""A small API of the tests' own: notes that can be written, listed, refused and broken."""

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError, transaction
from django.http import Http404
from django.urls import include, path
from django_celery_beat.models import IntervalSchedule
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response

from energyopti.foundation.api.pagination import CursorPage
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from energyopti.foundation.api.web.docs import AsyncApiView, SchemaView, docs, operation_docs

EXAMPLE = OpenApiExample("A note", value={"title": "Base", "legs": []})


class LegInput(StrictSerializer):
    quantity = DecimalString(max_digits=12, decimal_places=3)
    side = serializers.ChoiceField(choices=["BUY", "SELL"])


class NoteInput(StrictSerializer):
    title = serializers.CharField(max_length=40)
    starts_at = InstantField(required=False)
    status = serializers.CharField(read_only=True)
    legs = LegInput(many=True, required=False)


class NoteOutput(serializers.Serializer):
    title = serializers.CharField()
    legs = serializers.ListField()


class RowInput(StrictSerializer):
    every = serializers.IntegerField(min_value=1)


class RowOutput(serializers.Serializer):
    id = serializers.IntegerField()
    every = serializers.IntegerField()


class NotesView(ApiView):
    permission_classes = [IsAuthenticated]
    permissions = {"POST": "notes.write_note"}
    scopes = {"POST": "notes:write"}

    @extend_schema(
        description="Echo a note after checking it.",
        request=NoteInput,
        responses={200: NoteOutput},
        examples=[EXAMPLE],
        operation_id="notes_echo",
    )
    def post(self, request):
        note = NoteInput(data=request.data)
        note.is_valid(raise_exception=True)
        data = dict(request.data)
        data.setdefault("legs", [])
        return Response(data)


class EffectsView(ApiView):
    """Writes one row a call; a row is the effect that must not happen twice."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        description="Write a row.", request=RowInput, responses={201: RowOutput}, examples=[EXAMPLE]
    )
    def post(self, request):
        row = RowInput(data=request.data)
        row.is_valid(raise_exception=True)
        with transaction.atomic():
            made = IntervalSchedule.objects.create(
                every=row.validated_data["every"], period=IntervalSchedule.SECONDS
            )
        if made.every == 500:
            raise RuntimeError("a secret in the crash")
        if made.every == 409:
            raise RuleBroken("The limit leaves no room.")
        if made.every == 777:
            HOLD.wait(20)
        return Response(
            {"id": made.pk, "every": made.every}, status=201, headers={"Location": "/x"}
        )


class Hold:
    """A gate at which a request waits until the test lets it go on."""

    def __init__(self):
        self.reached = self.gate = None

    def wait(self, seconds):
        self.reached.set()
        assert self.gate.wait(seconds)


HOLD = Hold()


class NaturalKeyView(EffectsView):
    idempotent = False


class RuleBroken(Exception):
    pointer = "/every"


class PermissionMissing(PermissionDenied):
    def __init__(self, permission):
        self.permission = permission
        super().__init__(f"You need the permission “{permission}” for this.")


class RefusalsView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request, kind):
        raise {
            "crash": RuntimeError("a secret in the crash"),
            "permission": PermissionMissing("trading.capture_trade"),
            "denied": PermissionDenied(),
            "missing": Http404("trade of another organization"),
            "database": OperationalError("connection to 10.0.0.3 failed"),
            "connection": InterfaceError("connection to 10.0.0.3 is closed"),
            "rule": RuleBroken("The limit leaves no room."),
            "model": DjangoValidationError({"every": ["Too small."], "__all__": ["Odd."]}),
            "plain": DjangoValidationError("Not so."),
        }[kind]


class OpenView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request):
        return Response({"ok": True})

    @extend_schema(exclude=True)
    def post(self, request):
        return Response({"received": request.data})


class NumberView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request):
        return Response({"value": float("nan")})


class FilterInput(StrictSerializer):
    period = serializers.ChoiceField(choices=["seconds", "minutes"], required=False)


class RowViewSet(ApiListViewSet):
    permission_classes = [IsAuthenticated]
    pagination_class = CursorPage
    serializer_class = RowOutput
    ordering = ("-every", "id")

    @extend_schema(description="List rows.", examples=[EXAMPLE], filters=True)
    def list(self, request):
        found = IntervalSchedule.objects.filter(**self.query_of(FilterInput))
        return self.page_of(found, RowOutput)


api = [
    path("notes/", NotesView.as_view(), name="sample-notes"),
    path("effects/", EffectsView.as_view(), name="sample-effects"),
    path("natural/", NaturalKeyView.as_view(), name="sample-natural"),
    path("rows/", RowViewSet.as_view({"get": "list"}), name="sample-rows"),
    path("open/", OpenView.as_view(), name="sample-open"),
    path("number/", NumberView.as_view(), name="sample-number"),
    path("refuse/<slug:kind>/", RefusalsView.as_view(), name="sample-refuse"),
]
urlpatterns = [
    path("api/v1/sample/", include(api)),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/asyncapi/", AsyncApiView.as_view(), name="api-asyncapi"),
    path("api/docs/", docs, name="api-docs"),
    path("api/docs/<slug:operation_id>/", operation_docs, name="api-docs-operation"),
    path("accounts/", include("allauth.urls")),
    path("", include("allauth.idp.urls")),
]
