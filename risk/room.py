"""What risk brings to trading's registries and to the navigation."""

from energyopti.foundation.pages import NAVIGATION, NavigationItem
from trading.checks import CAPTURE_STEPS, CHECKS


def register_room() -> None:
    """Fill the registries; called once, from the app's `ready()`."""
    from risk.queries.var_limit import CHECK, check_var_limit
    from risk.services.vectors import add_trade
    from risk.validation import register_adapters

    CHECKS.register(CHECK, check_var_limit)
    CAPTURE_STEPS.register("risk_vectors", add_trade)
    register_adapters()
    if "risk:home" not in NAVIGATION:
        NAVIGATION.register(
            "risk:home",
            NavigationItem(
                label="Risk",
                url_name="risk:home",
                section="Risk",
                permission="risk.view_risk",
                shortcut="r",
                order=10,
            ),
        )
