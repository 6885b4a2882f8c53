"""What market data brings to the rest: grants, scopes, routes, navigation, periodic work, cases."""

from datetime import timedelta

from energyopti.accounts.roles import Role, grant_to_roles
from energyopti.accounts.scopes import register_scope
from energyopti.foundation.api.problems import register_problem
from energyopti.foundation.api.routes import register_api_routes
from energyopti.foundation.jobs.schedule import PERIODIC, Periodic
from energyopti.foundation.pages import HOME_PANELS, NAVIGATION, HomePanel, NavigationItem
from energyopti.foundation.validation.registry import adapters

MARKET_READERS = (
    Role.TRADER,
    Role.RISK_OFFICER,
    Role.ENERGY_MANAGER,
    Role.UTILITY_OPERATOR,
    Role.ESG_OFFICER,
    Role.COMPLIANCE_OFFICER,
    Role.PARTNER,
)


def register_market_data() -> None:
    """Fill the registries; doing it twice changes nothing."""
    from .queries.price_processes import UnknownCalibration
    from .services.calibrations import CalibrationRefused
    from .services.price_processes import PriceProcessRefused
    from .services.pricing_models import PricingModelRefused

    _grant()
    register_problem(PricingModelRefused, status=409, code="pricing_model_refused")
    register_problem(PriceProcessRefused, status=409, code="price_process_refused")
    register_problem(CalibrationRefused, status=409, code="calibration_refused")
    register_problem(UnknownCalibration, status=404, code="calibration_unknown")
    register_scope("prices:read", "Read market prices, forecasts and curves")
    register_scope("prices:write", "Book quotes; build and publish curves")
    register_api_routes("trading", "trading.api.urls")
    for topic, adapter in (
        ("battery_dispatch_lp", "battery_dispatch"),
        ("curve_bootstrap", "curve_bootstrap"),
        ("curve_max_smoothness", "curve_max_smoothness"),
        ("curve_roundtrip_property", "curve_roundtrip"),
    ):
        adapters.register(topic, f"trading.reference_cases:{adapter}")
    for name, when in (
        ("trading.ensure_months", timedelta(hours=6)),
        ("trading.issue_forecasts", timedelta(minutes=5)),
        ("trading.mature_trades", timedelta(hours=1)),
    ):
        if name not in PERIODIC:
            PERIODIC.register(name, Periodic(name, when, expires=when))
    for name, label, permission, order in (
        ("prices", "Prices", "trading.view_price", 30),
        ("curves", "Curves", "trading.view_quote", 40),
        ("pricing_models", "Pricing models", "trading.view_pricingmodel", 45),
        ("price_processes", "Price processes", "trading.view_priceprocess", 46),
    ):
        if f"trading:{name}" not in NAVIGATION:
            NAVIGATION.register(
                f"trading:{name}",
                NavigationItem(
                    label, f"trading:{name}", section="Trading", permission=permission, order=order
                ),
            )

    _register_home()


def _register_home() -> None:
    from .web.home import market_panel

    if "trading.market" not in HOME_PANELS:
        HOME_PANELS.register(
            "trading.market",
            HomePanel(
                roles=frozenset({Role.TRADER, Role.ENERGY_MANAGER, Role.UTILITY_OPERATOR}),
                template="trading/home_market.html",
                context=market_panel,
                permission="trading.view_price",
                order=30,
                reads=frozenset({"site"}),
            ),
        )


def _grant() -> None:
    for name in ("view_market", "view_price", "view_quote", "view_curvesnapshot", "view_forecast"):
        grant_to_roles(f"trading.{name}", *MARKET_READERS)
    grant_to_roles(
        "trading.view_actual", *(role for role in MARKET_READERS if role is not Role.PARTNER)
    )
    grant_to_roles("trading.view_importrun", Role.TRADER, Role.RISK_OFFICER)
    grant_to_roles("trading.import_prices", Role.TRADER, Role.RISK_OFFICER)
    grant_to_roles("trading.simulate_market", Role.RISK_OFFICER)
    grant_to_roles("trading.issue_forecast", Role.TRADER, Role.ENERGY_MANAGER)
    grant_to_roles("trading.build_curve", Role.TRADER, Role.RISK_OFFICER)
    for name in ("publish_curve", "define_curve"):
        grant_to_roles(f"trading.{name}", Role.RISK_OFFICER)
    grant_to_roles(
        "trading.view_pricingmodel", Role.TRADER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER
    )
    grant_to_roles(
        "trading.view_priceprocess", Role.TRADER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER
    )
    for name in (
        "propose_pricing_model", "approve_pricing_model", "propose_price_process",
        "approve_price_process",
    ):  # fmt: skip
        grant_to_roles(f"trading.{name}", Role.RISK_OFFICER)
    grant_to_roles("trading.book_actuals", Role.ENERGY_MANAGER)
