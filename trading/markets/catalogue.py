"""Markets that the product knows by their code, so that importing their prices needs no more."""

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """
    What must be known about a market to read its prices.

    gate_closure           local time on the day before delivery
    publication_minutes    from gate closure to published results
    """

    name: str
    time_zone: str
    currency: str
    eic: str = ""
    gate_closure: time = time(12)
    publication_minutes: int = 60


KNOWN_MARKETS: dict[str, MarketTerms] = {
    "AT": MarketTerms("Austria", "Europe/Vienna", "EUR", "10YAT-APG------L"),
    "BE": MarketTerms("Belgium", "Europe/Brussels", "EUR", "10YBE----------2"),
    "DE": MarketTerms("Germany, Austria, Luxembourg", "Europe/Berlin", "EUR", "10Y1001A1001A63L"),
    "DE-LU": MarketTerms("Germany, Luxembourg", "Europe/Berlin", "EUR", "10Y1001A1001A82H"),
    "DK1": MarketTerms("Denmark west", "Europe/Copenhagen", "EUR", "10YDK-1--------W"),
    "ES": MarketTerms("Spain", "Europe/Madrid", "EUR", "10YES-REE------0"),
    "FI": MarketTerms("Finland", "Europe/Helsinki", "EUR", "10YFI-1--------U"),
    "FR": MarketTerms("France", "Europe/Paris", "EUR", "10YFR-RTE------C"),
    "GB": MarketTerms("Great Britain", "Europe/London", "GBP", "10YGB----------A"),
    "NL": MarketTerms("Netherlands", "Europe/Amsterdam", "EUR", "10YNL----------L"),
    "NO2": MarketTerms("Norway south-west", "Europe/Oslo", "EUR", "10YNO-2--------T"),
    "NP": MarketTerms("Nordic system price", "Europe/Oslo", "EUR"),
    "PJM": MarketTerms("PJM", "America/New_York", "USD", gate_closure=time(11)),
    "SE3": MarketTerms("Sweden Stockholm", "Europe/Stockholm", "EUR", "10Y1001A1001A46L"),
}
