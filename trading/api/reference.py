"""REST of reference data: counterparties, agreements, delivery points, indices, books, shapes."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from trading.models import CreditSupportAnnex, EligibleCollateral, NettingSet
from trading.queries.agreements import (
    agreement_rows,
    counterparty_rows,
    counterparty_terms,
    one_of,
)
from trading.queries.book_tree import book_rows_for, reached_book
from trading.queries.reference import index_rows, market_rows, plant_rows, shape_rows
from trading.queries.shape_hours import shape_hours
from trading.reference import CounterpartyTerms
from trading.services.changes import CodeTaken
from trading.services.counterparties import add_company

from . import reference_examples as examples
from .reference_serializers import (
    AgreementOutput,
    AgreementQuery,
    CounterpartyInput,
    CounterpartyOutput,
    CounterpartyQuery,
    DeliveryPointOutput,
    DeliveryPointQuery,
    DeskBookOutput,
    IndexOutput,
    IndexQuery,
    PlantOutput,
    ShapeHoursOutput,
    ShapeOutput,
    ShapeQuery,
    YearQuery,
)

READ, WRITE = "reference:read", "reference:write"
VIEW = "trading.view_reference_data"


class CounterpartyViewSet(ApiListViewSet):
    """Counterparties of the caller's organizations."""

    permissions: ClassVar[dict[str, str]] = {
        "GET": "trading.view_counterparty",
        "POST": "trading.add_counterparty",
    }
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "POST": WRITE}
    serializer_class = CounterpartyOutput
    ordering = ("code", "id")

    @extend_schema(
        description="Page through the counterparties by code, closed ones too.",
        parameters=[CounterpartyQuery],
        responses=CounterpartyOutput(many=True),
        examples=[examples.COUNTERPARTY],
    )
    def list(self, request: Request) -> Response:
        paths = {"code": "code__iexact", "lei": "lei__iexact", "status": "status"}
        rows = filtered(
            counterparty_rows(actor_of(request)), self.query_of(CounterpartyQuery), paths
        )
        return self.page_of(rows, CounterpartyOutput)

    @extend_schema(
        description="Return one counterparty.",
        responses=CounterpartyOutput,
        examples=[examples.COUNTERPARTY],
    )
    def retrieve(self, request: Request, counterparty_id: UUID) -> Response:
        row = one_of(counterparty_rows(actor_of(request)), counterparty_id)
        return Response(CounterpartyOutput(row).data)

    @extend_schema(
        description=(
            "Add a counterparty. The same company under the same code again is answered 200 with"
            " the one that is there; another under that code 409."
        ),
        request=CounterpartyInput,
        responses={201: CounterpartyOutput, 200: CounterpartyOutput},
        examples=[examples.NEW_COUNTERPARTY, examples.COUNTERPARTY],
    )
    def create(self, request: Request) -> Response:
        body = CounterpartyInput(data=request.data)
        body.is_valid(raise_exception=True)
        given, actor = dict(body.validated_data), actor_of(request)
        organization_id = own_organization(actor, given.pop("organization", None))
        terms = CounterpartyTerms(**{**given, "lei": given.get("lei", "").upper()})
        own = counterparty_rows(actor).filter(organization_id=organization_id)
        row, is_new = own.filter(code__iexact=terms.code).first(), False
        if row is None:
            try:
                row = add_company(actor=actor, organization_id=organization_id, terms=terms)
                is_new = True
            except CodeTaken:
                # The same request at the same time was faster, or another company was.
                row = own.get(code__iexact=terms.code)
        if not is_new and counterparty_terms(row) != terms:
            raise Refusal(
                f"code: “{row.code}” is another company here.",
                code="code_taken", status=409, pointer="/code",
            )  # fmt: skip
        answer = Response(CounterpartyOutput(row).data, status=201 if is_new else 200)
        answer["Location"] = request.build_absolute_uri(f"{request.path}/{row.pk}")
        return answer


class AgreementViewSet(ApiListViewSet):
    """Master agreements with what nets under them and the collateral for it."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_agreement"}
    scopes: ClassVar[dict[str, str]] = {"GET": READ}
    serializer_class = AgreementOutput
    ordering = ("reference", "id")

    @extend_schema(
        description="Page through the master agreements by reference.",
        parameters=[AgreementQuery],
        responses=AgreementOutput(many=True),
        examples=[examples.AGREEMENT],
    )
    def list(self, request: Request) -> Response:
        paths = {"counterparty": "counterparty__code__iexact", "kind": "kind"}
        rows = filtered(whole_agreements(actor_of(request)), self.query_of(AgreementQuery), paths)
        return self.page_of(rows, AgreementOutput)

    @extend_schema(
        description="Return one master agreement.",
        responses=AgreementOutput,
        examples=[examples.AGREEMENT],
    )
    def retrieve(self, request: Request, agreement_id: UUID) -> Response:
        row = one_of(whole_agreements(actor_of(request)), agreement_id)
        return Response(AgreementOutput(row).data)


class DeliveryPointViewSet(ApiListViewSet):
    """Delivery points, which all organizations share."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": READ}
    serializer_class = DeliveryPointOutput
    ordering = ("code",)

    @extend_schema(
        description="Page through the delivery points by code.",
        parameters=[DeliveryPointQuery],
        responses=DeliveryPointOutput(many=True),
        examples=[examples.DELIVERY_POINT],
    )
    def list(self, request: Request) -> Response:
        paths = {
            "commodity": "commodity__code__iexact", "kind": "kind",
            "country": "country__iexact", "eic": "eic",
        }  # fmt: skip
        rows = filtered(market_rows(actor_of(request)), self.query_of(DeliveryPointQuery), paths)
        return self.page_of(rows, DeliveryPointOutput)

    @extend_schema(
        description="Return one delivery point.",
        responses=DeliveryPointOutput,
        examples=[examples.DELIVERY_POINT],
    )
    def retrieve(self, request: Request, code: str) -> Response:
        row = by_code(market_rows(actor_of(request)), code)
        return Response(DeliveryPointOutput(row).data)


class DeliveryHoursView(ApiView):
    """Hours of a delivery point's shapes."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        description=(
            "Return how many hours each shape of a delivery point delivers in the months of a"
            " year, exact over clock changes."
        ),
        parameters=[YearQuery],
        responses=ShapeHoursOutput(many=True),
        examples=[examples.SHAPE_HOURS],
    )
    def get(self, request: Request, code: str) -> Response:
        market = by_code(market_rows(actor_of(request._request)), code)
        hours = shape_hours(market, year=self.query_of(YearQuery)["year"])
        return Response(ShapeHoursOutput(hours, many=True).data)


class IndexViewSet(ApiListViewSet):
    """Price indices, which all organizations share."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": READ}
    serializer_class = IndexOutput
    ordering = ("code", "id")

    @extend_schema(
        description="Page through the price indices by code.",
        parameters=[IndexQuery],
        responses=IndexOutput(many=True),
        examples=[examples.INDEX],
    )
    def list(self, request: Request) -> Response:
        paths = {"market": "market__code__iexact"}
        rows = filtered(index_rows(actor_of(request)), self.query_of(IndexQuery), paths)
        return self.page_of(rows, IndexOutput)

    @extend_schema(
        description="Return one price index.", responses=IndexOutput, examples=[examples.INDEX]
    )
    def retrieve(self, request: Request, code: str) -> Response:
        return Response(IndexOutput(by_code(index_rows(actor_of(request)), code)).data)


class PlantViewSet(ApiListViewSet):
    """Plants, which all organizations share."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": READ}
    serializer_class = PlantOutput
    ordering = ("code", "id")

    @extend_schema(
        description="Page through the plants by code.",
        parameters=[IndexQuery],
        responses=PlantOutput(many=True),
        examples=[examples.PLANT],
    )
    def list(self, request: Request) -> Response:
        paths = {"market": "market__code__iexact"}
        rows = filtered(plant_rows(actor_of(request)), self.query_of(IndexQuery), paths)
        return self.page_of(rows, PlantOutput)

    @extend_schema(
        description="Return one plant.", responses=PlantOutput, examples=[examples.PLANT]
    )
    def retrieve(self, request: Request, code: str) -> Response:
        return Response(PlantOutput(by_code(plant_rows(actor_of(request)), code)).data)


class BookViewSet(ApiListViewSet):
    """The books that the caller reaches."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_book"}
    scopes: ClassVar[dict[str, str]] = {"GET": READ}
    serializer_class = DeskBookOutput
    ordering = ("code", "id")

    @extend_schema(
        description="Page through the books that you reach by code, closed ones too.",
        responses=DeskBookOutput(many=True),
        examples=[examples.BOOK],
    )
    def list(self, request: Request) -> Response:
        return self.page_of(book_rows_for(actor_of(request)), DeskBookOutput)

    @extend_schema(
        description="Return one book.", responses=DeskBookOutput, examples=[examples.BOOK]
    )
    def retrieve(self, request: Request, book_id: UUID) -> Response:
        return Response(DeskBookOutput(reached_book(actor_of(request), book_id)).data)


class ShapeViewSet(ApiListViewSet):
    """Every version of every load shape."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": READ}
    serializer_class = ShapeOutput
    ordering = ("code", "version", "id")

    @extend_schema(
        description="Page through the versions of load shapes by code and version.",
        parameters=[ShapeQuery],
        responses=ShapeOutput(many=True),
        examples=[examples.SHAPE],
    )
    def list(self, request: Request) -> Response:
        paths = {"calendar": "calendar__code__iexact", "shape": "code__iexact"}
        rows = filtered(shape_rows(actor_of(request)), self.query_of(ShapeQuery), paths)
        return self.page_of(rows, ShapeOutput)


def filtered(rows: QuerySet[Any], asked: Any, paths: dict[str, str]) -> QuerySet[Any]:
    """Return the rows that pass the filters of a query string, each by its path."""
    return rows.filter(**{paths[name]: value for name, value in asked.items()})


def by_code(rows: QuerySet[Any], code: str) -> Any:
    """Return the row of a code, or answer 404."""
    row = rows.filter(code=code).first()
    if row is None:
        raise Http404(f"There is no “{code}”.")
    return row


def whole_agreements(actor: Actor) -> QuerySet[Any]:
    """Return agreements with all that stands under them: four queries more, however many."""
    collateral = EligibleCollateral.objects.order_by("kind", "currency")
    annexes = CreditSupportAnnex.objects.order_by("valid_from").prefetch_related(
        Prefetch("collateral", collateral)
    )
    netting_sets = NettingSet.objects.order_by("code").prefetch_related(
        "commodities", Prefetch("annexes", annexes)
    )
    return agreement_rows(actor).prefetch_related(Prefetch("netting_sets", netting_sets))


def own_organization(actor: Actor, named: UUID | None) -> UUID:
    """
    Return the organization that a row is for: the named one, or the only one.

    :raises Refusal: if it must be named.
    """
    if named is not None:
        return named
    own = actor.own_organization_ids
    if len(own) != 1:
        raise Refusal(
            "organization: say for which of yours.",
            code="organization_needed", pointer="/organization",
        )  # fmt: skip
    (only,) = own
    return only
