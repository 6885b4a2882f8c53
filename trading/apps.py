"""The trading app: its subjects register themselves with the rest here, once."""

from django.apps import AppConfig


class TradingConfig(AppConfig):
    name = "trading"
    label = "trading"
    verbose_name = "Trading"

    def ready(self) -> None:
        from .desk import register_desk
        from .executions import register_executions
        from .market_data import register_market_data
        from .results import register_results

        register_market_data()
        register_desk()
        register_executions()
        register_results()
