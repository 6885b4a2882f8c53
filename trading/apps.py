"""The trading app: what it grants to roles and registers elsewhere is said here, once."""

from django.apps import AppConfig

from energyopti.accounts.roles import Role, grant_to_roles

MARKET_READERS = (
    Role.TRADER,
    Role.RISK_OFFICER,
    Role.ENERGY_MANAGER,
    Role.UTILITY_OPERATOR,
    Role.ESG_OFFICER,
    Role.COMPLIANCE_OFFICER,
    Role.PARTNER,
)


class TradingConfig(AppConfig):
    name = "trading"
    label = "trading"
    verbose_name = "Trading"

    def ready(self) -> None:
        for permission in ("view_market", "view_price", "view_quote", "view_curvesnapshot"):
            grant_to_roles(f"trading.{permission}", *MARKET_READERS)
        grant_to_roles("trading.view_forecast", *MARKET_READERS)
        grant_to_roles(
            "trading.view_actual",
            Role.TRADER,
            Role.RISK_OFFICER,
            Role.ENERGY_MANAGER,
            Role.UTILITY_OPERATOR,
            Role.ESG_OFFICER,
            Role.COMPLIANCE_OFFICER,
        )
        grant_to_roles("trading.view_importrun", Role.TRADER, Role.RISK_OFFICER)
        grant_to_roles("trading.import_prices", Role.TRADER, Role.RISK_OFFICER)
        grant_to_roles("trading.simulate_market", Role.RISK_OFFICER)
        grant_to_roles("trading.issue_forecast", Role.TRADER, Role.ENERGY_MANAGER)
        grant_to_roles("trading.build_curve", Role.TRADER, Role.RISK_OFFICER)
        grant_to_roles("trading.book_actuals", Role.ENERGY_MANAGER)

        from .desk import register_desk

        register_desk()
