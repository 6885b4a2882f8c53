"""
Trading in the Django admin: reference data through its services, facts and versions to look at.

A form that a service would refuse says so beside its fields: the form tries the service and takes
it back, and saving does it again.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from energyopti.accounts.actors import PermissionMissing
from energyopti.accounts.admin_base import EopModelAdmin, ReadOnlyAdmin
from energyopti.accounts.requests import actor_of
from trading.models import (
    Agreement,
    ApprovedProduct,
    Book,
    Commodity,
    Counterparty,
    CreditSupportAnnex,
    FxRate,
    HolidayCalendarVersion,
    LoadShape,
    Market,
    NettingSet,
    Plant,
    PriceIndex,
    PriceProcess,
    PricingModel,
    ShapeCalendar,
)
from trading.queries import agreements as own
from trading.queries import reference as shared
from trading.reference import NettingSetTerms
from trading.services.agreements import (
    add_agreement,
    add_netting_set,
    amend_agreement,
    amend_netting_set,
)
from trading.services.approved_products import (
    amend_approved_product,
    approve_product,
    withdraw_product,
)
from trading.services.books import amend_book, open_book_as
from trading.services.changes import MANAGE, ForeignOrganization
from trading.services.commodities import add_commodity, amend_commodity
from trading.services.counterparties import add_company, amend_counterparty
from trading.services.delivery_points import add_delivery_point, amend_delivery_point
from trading.services.indices import add_index, amend_index
from trading.services.plants import add_plant, amend_plant


class ServiceForm(forms.ModelForm):
    """A form that asks the service whether it would take what was entered."""

    attempt: Callable[[Any, Any], Model]

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        try:
            with transaction.atomic():
                self.attempt(self.instance, self)
                transaction.set_rollback(True)
        except ValidationError as error:
            for name, messages in _by_field(error).items():
                self.add_error(name if name in self.fields else None, messages)
        except (PermissionMissing, ForeignOrganization) as error:
            self.add_error(None, str(error))


class ReadAs(admin.ModelAdmin):
    """Who may read a table is said as on its pages, not by a permission of its own."""

    reads: ClassVar[str] = shared.VIEW

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(self.reads))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


class ReferenceAdmin(ReadAs, EopModelAdmin):
    """
    A table whose rows are added and amended by services, found by fields that stay.

    key                     read-only once the row is there
    said                    returns what a row says, as the services take it
    add_by, amend_by        the services
    adds, amends            their permissions
    """

    said: Callable[[Any], Any]
    add_by: Callable[..., Model]
    amend_by: Callable[..., Model]

    adds: ClassVar[str] = MANAGE
    amends: ClassVar[str] = MANAGE

    form = ServiceForm
    key: ClassVar[tuple[str, ...]] = ("code",)
    ordering: ClassVar[tuple[str, ...]] = ("code",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(self.adds))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(self.amends))

    def terms_of(self, row: Any, form: Any) -> Any:
        return self.said(row)

    def whose(self, row: Any) -> dict[str, Any]:
        """Return what a service takes beside actor and terms: nothing for what all share."""
        return {}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.key if obj is not None else ()

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        form.attempt = lambda _, row, bound: self._write(request, row, bound, is_new=obj is None)
        return form

    def save_with_service(self, request: HttpRequest, obj: Any, form: Any, *, is_new: bool) -> bool:
        saved = self._write(request, obj, form, is_new=is_new)
        obj.pk = saved.pk
        obj._state.adding = False
        return True

    def save_related(self, request: HttpRequest, form: Any, *args: Any) -> None:
        """Write nothing more: the service has written what belongs to the row."""

    def _write(self, request: HttpRequest, row: Any, form: Any, *, is_new: bool) -> Model:
        verb = self.add_by if is_new else self.amend_by
        return verb(actor=actor_of(request), terms=self.terms_of(row, form), **self.whose(row))


class OwnedReferenceAdmin(ReferenceAdmin):
    """
    Rows of organizations: those of the operator's own, and of its customers where it may.

    owner   path from a row to what names its organization, empty for the row itself
    """

    owner: ClassVar[str] = ""

    def whose(self, row: Any) -> dict[str, Any]:
        for name in filter(None, self.owner.split("__")):
            row = getattr(row, name)
        return {"organization_id": row.organization_id}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.model._default_manager.visible_to(actor_of(request)).order_by(*self.ordering)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        rows = db_field.related_model._default_manager.all()
        if hasattr(rows, "visible_to"):
            kwargs.setdefault("queryset", rows.visible_to(actor_of(request)))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Commodity)
class CommodityAdmin(ReferenceAdmin):
    list_display = ("code", "name", "kind", "delivery", "quantity_unit")
    list_filter = ("kind",)
    search_fields = ("code", "name")
    said = staticmethod(shared.commodity_terms)
    add_by, amend_by = staticmethod(add_commodity), staticmethod(amend_commodity)


@admin.register(Market)
class MarketAdmin(ReferenceAdmin):
    list_display = (
        "code", "name", "commodity", "kind", "parent", "eic", "time_zone", "currency",
        "shape_calendar",
    )  # fmt: skip
    list_filter = ("commodity", "kind", "currency")
    list_select_related = ("commodity", "parent", "shape_calendar")
    search_fields = ("code", "name", "eic")
    exclude = ("is_simulated",)
    said = staticmethod(shared.market_terms)
    add_by, amend_by = staticmethod(add_delivery_point), staticmethod(amend_delivery_point)


@admin.register(PriceIndex)
class PriceIndexAdmin(ReferenceAdmin):
    list_display = ("code", "name", "market", "currency", "price_unit", "frequency", "is_active")
    list_filter = ("frequency", "is_active")
    list_select_related = ("market",)
    search_fields = ("code", "name", "market__code")
    said = staticmethod(shared.index_terms)
    add_by, amend_by = staticmethod(add_index), staticmethod(amend_index)


@admin.register(Plant)
class PlantAdmin(ReferenceAdmin):
    list_display = ("code", "name", "technology", "installed_mwp", "market", "is_active")
    list_filter = ("technology", "is_active")
    list_select_related = ("market",)
    search_fields = ("code", "name", "market__code")
    said = staticmethod(shared.plant_terms)
    add_by, amend_by = staticmethod(add_plant), staticmethod(amend_plant)


class CountryFilter(admin.SimpleListFilter):
    """The countries that counterparties have; where none is said there is nothing to choose by."""

    title, parameter_name = "country", "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the countries that are there."""
        found = Counterparty.objects.exclude(country="").order_by("country")
        return [(code, code) for code in found.values_list("country", flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen country's."""
        return queryset.filter(country=self.value()) if self.value() else queryset


@admin.register(Counterparty)
class CounterpartyAdmin(OwnedReferenceAdmin):
    reads, adds, amends = (
        "trading.view_counterparty",
        "trading.add_counterparty",
        "trading.change_counterparty",
    )
    list_display = ("code", "name", "lei", "country", "is_internal", "status", "organization")
    list_filter = ("status", "is_internal", CountryFilter)
    list_select_related = ("organization",)
    search_fields = ("code", "name", "lei")
    exclude = ("is_active",)  # it follows the status
    key = ("organization", "code")
    said = staticmethod(own.counterparty_terms)
    add_by, amend_by = staticmethod(add_company), staticmethod(amend_counterparty)


@admin.register(Agreement)
class AgreementAdmin(OwnedReferenceAdmin):
    reads, adds, amends = (
        "trading.view_agreement",
        "trading.add_agreement",
        "trading.change_agreement",
    )
    list_display = ("reference", "kind", "counterparty", "effective_date", "ended_date")
    list_filter = ("kind",)
    list_select_related = ("counterparty",)
    search_fields = ("reference", "counterparty__code")
    key = ("counterparty", "reference")
    ordering = ("counterparty__code", "reference")
    said = staticmethod(own.agreement_terms)
    add_by, amend_by = staticmethod(add_agreement), staticmethod(amend_agreement)
    owner = "counterparty"


@admin.register(NettingSet)
class NettingSetAdmin(OwnedReferenceAdmin):
    reads, adds, amends = (
        "trading.view_agreement",
        "trading.add_agreement",
        "trading.change_agreement",
    )
    list_display = ("code", "name", "agreement")
    list_select_related = ("agreement",)
    search_fields = ("code", "name", "agreement__reference")
    key = ("agreement", "code")
    add_by, amend_by = staticmethod(add_netting_set), staticmethod(amend_netting_set)
    owner = "agreement__counterparty"

    def terms_of(self, row: Any, form: Any) -> Any:
        return NettingSetTerms(
            counterparty=row.agreement.counterparty.code,
            agreement=row.agreement.reference,
            code=row.code,
            name=row.name,
            commodities=tuple(sorted(each.code for each in form.cleaned_data["commodities"])),
        )


@admin.register(Book)
class BookAdmin(OwnedReferenceAdmin):
    reads, adds, amends = (
        "trading.access_every_book",
        "trading.add_book",
        "trading.change_book",
    )
    list_display = (
        "code", "name", "organization", "parent", "owner", "reporting_currency", "is_active",
    )  # fmt: skip
    list_filter = ("is_active", "reporting_currency")
    list_select_related = ("organization", "parent", "owner")
    search_fields = ("code", "name")
    raw_id_fields = ("owner",)
    key = ("organization", "code")
    said = staticmethod(own.book_terms)
    add_by, amend_by = staticmethod(open_book_as), staticmethod(amend_book)


@admin.register(ApprovedProduct)
class ApprovedProductAdmin(OwnedReferenceAdmin):
    reads, adds, amends = (
        "trading.view_approvedproduct",
        "trading.add_approvedproduct",
        "trading.change_approvedproduct",
    )
    list_display = ("book", "commodity", "market", "product_kind", "maximum_tenor_months")
    list_filter = ("commodity", "product_kind")
    list_select_related = ("book", "commodity", "market")
    search_fields = ("book__code", "market__code")
    key = ("book", "commodity", "market", "product_kind")
    ordering = ("book__code", "commodity__code")
    may_delete = True
    said = staticmethod(own.approved_product_terms)
    add_by, amend_by = staticmethod(approve_product), staticmethod(amend_approved_product)
    owner = "book"

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        withdraw_product(actor=actor_of(request), approved_product_id=obj.pk)


class OwnedReadOnlyAdmin(ReadAs, ReadOnlyAdmin):
    """Rows of the operator's own organizations, to look at."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.model._default_manager.visible_to(actor_of(request))


@admin.register(CreditSupportAnnex)
class CreditSupportAnnexAdmin(OwnedReadOnlyAdmin):
    """Edited on the page of the counterparty, where its collateral stands with it."""

    reads = "trading.view_agreement"

    list_display = (
        "netting_set", "valid_from", "valid_to", "currency", "threshold_ours", "threshold_theirs",
        "minimum_transfer",
    )  # fmt: skip
    list_select_related = ("netting_set",)
    search_fields = ("netting_set__code", "netting_set__agreement__reference")


@admin.register(ShapeCalendar)
class ShapeCalendarAdmin(ReadAs, ReadOnlyAdmin):
    list_display = ("code", "name", "day_start")
    search_fields = ("code", "name")


@admin.register(LoadShape)
class LoadShapeAdmin(ReadAs, ReadOnlyAdmin):
    """Versions; the next one is published on the page of its calendar."""

    list_display = (
        "calendar", "code", "version", "name", "valid_from", "weekdays", "from_minute",
        "to_minute", "holiday_rule",
    )  # fmt: skip
    list_filter = ("calendar", "holiday_rule")
    list_select_related = ("calendar",)
    search_fields = ("code", "name")
    ordering = ("calendar__code", "code", "version")


@admin.register(HolidayCalendarVersion)
class HolidayCalendarVersionAdmin(ReadAs, ReadOnlyAdmin):
    list_display = (
        "calendar", "version", "covers_first", "covers_after", "source", "recorded_at",
    )  # fmt: skip
    list_filter = ("calendar",)
    list_select_related = ("calendar",)
    ordering = ("calendar__code", "-version")


@admin.register(PricingModel)
class PricingModelAdmin(ReadAs, ReadOnlyAdmin):
    """Proposed and decided on the page of pricing models."""

    reads = "trading.view_pricingmodel"
    list_display = ("market", "second_market", "family", "number", "formula", "status")
    list_filter = ("family", "formula", "status")
    list_select_related = ("market", "second_market")
    ordering = ("market__code", "family", "-number")


@admin.register(PriceProcess)
class PriceProcessAdmin(ReadAs, ReadOnlyAdmin):
    """Proposed and decided on the page of price processes."""

    reads = "trading.view_priceprocess"
    list_display = ("market", "second_market", "kind", "number", "status")
    list_filter = ("kind", "status")
    list_select_related = ("market", "second_market")
    ordering = ("market__code", "second_market__code", "-number")


@admin.register(FxRate)
class FxRateAdmin(ReadAs, ReadOnlyAdmin):
    """Every version of every rate, corrections and what they corrected."""

    list_display = ("base", "quote", "rate", "valid_from", "source", "recorded_at")
    list_filter = ("base", "quote", "source")
    ordering = ("-valid_from", "base", "quote", "-recorded_at")
    show_full_result_count = False


def _by_field(error: ValidationError) -> dict[str, list[str]]:
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
