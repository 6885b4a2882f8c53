"""What the desk brings to the rest: grants, containers, scopes, checks, routes, navigation."""

from typing import Any

from energyopti.accounts.grantable import GRANTABLE, Grantable
from energyopti.accounts.roles import Role, grant_to_roles
from energyopti.accounts.scopes import register_scope
from energyopti.foundation.api.problems import register_problem
from energyopti.foundation.api.routes import register_api_routes
from energyopti.foundation.pages import (
    HOME_PANELS,
    NAVIGATION,
    SCOPES,
    HomePanel,
    NavigationItem,
    ScopeDimension,
    ScopeOption,
)
from trading.checks import CHECKS, CHECKS_OF_MANY
from trading.market_data import MARKET_READERS
from trading.panels import TRADE_PANELS, TradePanel

DESK_READERS = (Role.TRADER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER)


def register_desk() -> None:
    """Fill the registries; called once, from the app's `ready()`."""
    from trading.queries.approved import check_approved_product, check_approved_products
    from trading.queries.sanity import (
        check_duplicate,
        check_duplicates,
        check_price,
        check_prices,
    )
    from trading.validation import register_adapters

    for permission in ("view_book", "view_counterparty", "view_trade", "view_positiontotal"):
        grant_to_roles(f"trading.{permission}", *DESK_READERS, Role.PARTNER)
    for permission in ("capture_trade", "book_fill"):
        grant_to_roles(f"trading.{permission}", Role.TRADER, Role.PARTNER)
    for permission in ("amend_trade", "cancel_trade", "exercise_option", "nominate_structure"):
        grant_to_roles(f"trading.{permission}", Role.TRADER)
    # Who releases is never who captured; the service sees to it.
    grant_to_roles("trading.release_trade", Role.TRADER, Role.RISK_OFFICER)
    grant_to_roles("trading.override_check", Role.RISK_OFFICER)
    grant_to_roles("trading.access_every_book", Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER)
    # A paper of the deal may come in by the back office; who deals does not take one off alone.
    grant_to_roles("trading.view_tradedocument", *DESK_READERS)
    grant_to_roles("trading.add_tradedocument", *DESK_READERS)
    grant_to_roles("trading.add_documentwithdrawal", Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER)
    _grant_reference_data()
    if "book" not in GRANTABLE:
        GRANTABLE.register(
            "book",
            Grantable(
                model="trading.Book",
                organization_path="organization_id",
                levels={"view": "trading.view_book", "trade": "trading.trade_book"},
                open_to_members=False,
                everywhere="trading.access_every_book",
            ),
        )
    register_scope("trades:read", "Read trades and positions")
    register_scope("trades:write", "Capture trades")
    register_scope("reference:read", "Read counterparties, agreements, books and delivery points")
    register_scope("reference:write", "Add counterparties")
    register_api_routes("trading", "trading.api.urls")
    CHECKS.register("approved_product", check_approved_product)
    CHECKS.register("duplicate", check_duplicate)
    CHECKS.register("price_sanity", check_price)
    CHECKS_OF_MANY.register("approved_product", check_approved_products)
    CHECKS_OF_MANY.register("duplicate", check_duplicates)
    CHECKS_OF_MANY.register("price_sanity", check_prices)
    register_adapters()
    _register_problems()
    _register_navigation()
    _register_home()
    _register_live_rows()
    _register_panels()


def _grant_reference_data() -> None:
    # Who deals does not decide with whom, in what and by which calendar: the risk officer does.
    for permission in ("view_agreement", "view_approvedproduct"):
        grant_to_roles(f"trading.{permission}", *DESK_READERS)
    grant_to_roles("trading.view_reference_data", *MARKET_READERS)
    for subject in ("book", "counterparty", "agreement", "approvedproduct"):
        grant_to_roles(f"trading.add_{subject}", Role.RISK_OFFICER)
        grant_to_roles(f"trading.change_{subject}", Role.RISK_OFFICER)
    grant_to_roles("trading.delete_approvedproduct", Role.RISK_OFFICER)
    grant_to_roles("trading.manage_reference_data", Role.RISK_OFFICER)


def _book_options(actor: Any) -> list[ScopeOption]:
    from trading.queries.books import books_for

    return [ScopeOption(str(book.id), f"{book.code}, {book.name}") for book in books_for(actor)]


def _register_navigation() -> None:
    if "book" not in SCOPES:
        SCOPES.register(
            "book", ScopeDimension("Book", "All books", _book_options, "trading.view_book")
        )
    for name, label, permission, shortcut, order in (
        ("trades", "Trades", "trading.view_trade", "t", 10),
        ("waiting", "Waiting", "trading.view_trade", "w", 15),
        ("trade_imports", "Import trades", "trading.capture_trade", "", 17),
        ("positions", "Positions", "trading.view_positiontotal", "p", 20),
    ):
        if f"trading:{name}" not in NAVIGATION:
            NAVIGATION.register(
                f"trading:{name}",
                NavigationItem(
                    label=label,
                    url_name=f"trading:{name}",
                    section="Trading",
                    permission=permission,
                    shortcut=shortcut,
                    order=order,
                ),
            )
    for order, (name, label, permission) in enumerate(
        (
            ("counterparties", "Counterparties", "trading.view_counterparty"),
            ("agreements", "Agreements", "trading.view_agreement"),
            ("books", "Books", "trading.view_book"),
            ("commodities", "Commodities", "trading.view_reference_data"),
            ("delivery_points", "Delivery points", "trading.view_reference_data"),
            ("indices", "Price indices", "trading.view_reference_data"),
            ("plants", "Plants", "trading.view_reference_data"),
            ("shapes", "Load shapes", "trading.view_reference_data"),
            ("holiday_lists", "Holidays", "trading.view_reference_data"),
            ("fx_rates", "Exchange rates", "trading.view_reference_data"),
            ("reference", "Import and export", "trading.view_reference_data"),
        )
    ):
        if f"trading:{name}" not in NAVIGATION:
            NAVIGATION.register(
                f"trading:{name}",
                NavigationItem(
                    label,
                    f"trading:{name}",
                    section="Reference data",
                    permission=permission,
                    order=60 + order,
                ),
            )


def _register_home() -> None:
    from trading.web.home import desk_panel

    if "trading.desk" not in HOME_PANELS:
        HOME_PANELS.register(
            "trading.desk",
            HomePanel(
                roles=frozenset({Role.TRADER}),
                template="trades/home_desk.html",
                context=desk_panel,
                permission="trading.view_positiontotal",
                order=10,
                reads=frozenset({"book"}),
            ),
        )


def _register_panels() -> None:
    from trading.queries.structure_values import VIEW
    from trading.web.documents import documents_panel
    from trading.web.structures import structure_panel

    if "structure" not in TRADE_PANELS:
        TRADE_PANELS.register(
            "structure",
            TradePanel(
                template="trades/_structure.html", context=structure_panel, permission=VIEW,
                order=10,
            ),
        )  # fmt: skip
    if "documents" not in TRADE_PANELS:
        TRADE_PANELS.register(
            "documents",
            TradePanel(
                template="trades/_documents.html",
                context=documents_panel,
                permission="trading.view_tradedocument",
                order=50,
            ),
        )


def _register_live_rows() -> None:
    from trading.checks import CHANGE_STEPS, STEPS_OF_MANY
    from trading.services.live_rows import tell_blotters, tell_blotters_of_many

    CHANGE_STEPS.register("live_rows", tell_blotters)
    STEPS_OF_MANY.register("live_rows", tell_blotters_of_many)


def _register_problems() -> None:
    from energyopti.foundation.proposals.services import SecondPersonNeeded
    from trading.queries.books import UnknownBook
    from trading.queries.documents import UnknownDocument
    from trading.queries.proposals import TradeInvalid, UnknownCounterparty
    from trading.queries.reference import UnknownReference
    from trading.queries.trades import UnknownTrade
    from trading.services.changes import CodeTaken, ForeignOrganization
    from trading.services.life import (
        ReasonNeeded,
        ReferenceReused,
        StaleVersion,
        TradeStopped,
        TransitionForbidden,
    )
    from trading.services.several_trades import PackageChanged

    register_problem(TradeInvalid, status=400, code="trade_invalid")
    register_problem(UnknownBook, status=404, code="book_unknown")
    register_problem(UnknownReference, status=404, code="reference_unknown")
    register_problem(CodeTaken, status=409, code="code_taken")
    register_problem(ForeignOrganization, status=404, code="organization_unknown")
    register_problem(UnknownCounterparty, status=400, code="counterparty_unknown")
    register_problem(TradeStopped, status=409, code="trade_stopped")
    register_problem(ReasonNeeded, status=409, code="reason_needed")
    register_problem(ReferenceReused, status=409, code="client_reference_reused")
    register_problem(UnknownTrade, status=404, code="trade_unknown")
    register_problem(UnknownDocument, status=404, code="document_unknown")
    register_problem(PackageChanged, status=409, code="package_changed")
    register_problem(StaleVersion, status=409, code="stale_version")
    register_problem(TransitionForbidden, status=409, code="transition_forbidden")
    register_problem(SecondPersonNeeded, status=409, code="second_person_needed")
