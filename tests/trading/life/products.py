"""One of each product as a program says it, and as a form and a row of a file say the same."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
# Two days of December deliver what has volumes by the interval.
DAYS = ("2026-12-01..2026-12-02", 48)
PROFILE = [f"{n % 24 / 4:.2f}" for n in range(DAYS[1])]
EXPIRY = "2026-11-24T11:00:00Z"
FORWARD = {"product": "PHYSICAL_FORWARD", "side": "BUY", "market": "DE", "period": "Dec26",
           "quantity": "10", "price": "85.20"}  # fmt: skip
GAS = {"market": "TTF", "quantity": "240", "unit": "MWh/d"}
PLANT = {"market": "DE", "side": "BUY", "period": DAYS[0],
         "asset": {"id": "SUN-1", "installed_mw": "40", "contracted_mw": "20"},
         "profile": {"minutes": 60, "mw": PROFILE}}  # fmt: skip


def ppa(**terms: Any) -> dict[str, Any]:
    return {**PLANT, "product": "PPA", **terms}


def option(type_: str, *strikes: str, side: str = "BUY", period: str = "Dec26", **terms: Any):
    """An option that expires before its delivery, or is fixed through it (`expiry`)."""
    said = {"style": "EUROPEAN", "type": type_, "underlying": ["EPEX-DE-DA"],
            "strikes": list(strikes), "expiry": EXPIRY, "premium": "1.50",
            "premium_date": "2026-11-24", "settlement": "CASH", **terms}  # fmt: skip
    return {"product": "OPTION", "side": side, "market": "DE", "period": period, "quantity": "10",
            "option": said}  # fmt: skip


def contract(product: str, where: dict[str, str], **terms: Any) -> dict[str, Any]:
    return {"product": product, "side": "BUY", "period": DAYS[0], **where, "structure": terms}


DELIVERS = {"settlement": "PHYSICAL"}
THROUGH = {"expiry": "2026-12-31T23:00:00Z"}
TWO_MONTHS = {"period": "2026-12-01..2027-01-31", "expiry": "2027-01-31T23:00:00Z"}
POWER = {"market": "DE", "quantity": "20"}
PRODUCTS: dict[str, dict[str, Any]] = {
    "forward": FORWARD,
    "peak forward": {**FORWARD, "shape": "PEAK", "side": "SELL", "price": "95"},
    "block forward": {**FORWARD, "shape": "H08-H20", "price": "91.5"},
    "index forward": {"product": "INDEX_FORWARD", "side": "BUY", "market": "DE", "period": "Dec26",
                      "quantity": "10", "index": "EPEX-DE-DA", "spread": "1.25",
                      "multiplier": "0.95"},
    "profile forward": {"product": "PROFILE_FORWARD", "side": "SELL", "market": "DE",
                        "period": DAYS[0], "price": "70",
                        "profile": {"minutes": 60, "mw": PROFILE}},
    "future": {"product": "FUTURE", "side": "BUY", "market": "DE", "period": "Dec26",
               "quantity": "5", "price": "85.20", "mic": "XEEE", "clearing_account": "HOUSE-1"},
    "financial forward": {**FORWARD, "product": "FINANCIAL_FORWARD", "index": "EPEX-DE-DA"},
    "swap": {**FORWARD, "product": "SWAP", "index": "EPEX-DE-DA"},
    "basis swap": {"product": "BASIS_SWAP", "side": "BUY", "market": "DE", "period": "Dec26",
                   "quantity": "10", "index": "EPEX-FR-DA", "receive_index": "EPEX-DE-DA",
                   "spread": "2"},
    "gas forward": {"product": "PHYSICAL_FORWARD", "side": "BUY", "period": "Dec26",
                    "price": "31.2", **GAS},
    "certificates": {"product": "CERTIFICATE", "side": "BUY", "market": "EUA",
                     "period": "2026-12-14", "quantity": "5", "unit": "lots", "price": "71.5",
                     "vintage": 2026, "registry": "EU"},
    "as generated": {**PLANT, "product": "AS_GENERATED", "price": "52.25"},
    "fixed PPA": ppa(price="52.25"),
    "floating PPA": ppa(index="EPEX-DE-DA", spread="-2.5", multiplier="0.97"),
    "PPA with floor and cap": ppa(index="EPEX-DE-DA", spread="-2.5", floor="80", cap="90"),
    "physical call": option("CALL", "80", **DELIVERS),
    "physical put": option("PUT", "95", **DELIVERS),
    "written call": option("CALL", "80", side="SELL", **DELIVERS),
    "cash call": option("CALL", "80"),
    "cash put": option("PUT", "95"),
    "cap": option("CAP", "90", **TWO_MONTHS),
    "floor": option("FLOOR", "84", side="SELL", **TWO_MONTHS),
    "collar": option("COLLAR", "80", "92", premium="0", **TWO_MONTHS),
    "spread call": option("SPREAD_CALL", "3", underlying=["EPEX-DE-DA", "EPEX-FR-DA"]),
    "spread put": option("SPREAD_PUT", "8", underlying=["EPEX-DE-DA", "EPEX-FR-DA"]),
    "spark spread put": option("SPREAD_PUT", "56", underlying=["EPEX-DE-DA", "TTF-DA"]),
    "spark spread with heat rate": option("SPREAD_CALL", "24", underlying=["EPEX-DE-DA", "TTF-DA"],
                                          ratio="1.8181", ratio_unit="MWh", cost="3.25"),
    "calendar spread": option("SPREAD_PUT", "1.5", underlying=["EPEX-DE-DA", "EPEX-DE-DA"],
                              second_period="Jan27"),
    "spread of averages": option("SPREAD_CALL", "4", underlying=["EPEX-DE-DA", "EPEX-FR-DA"],
                                 style="ASIAN", **THROUGH),
    "payer swaption": option("PAYER_SWAPTION", "80", **DELIVERS),
    "receiver swaption": option("RECEIVER_SWAPTION", "95", **DELIVERS),
    "Asian call": option("CALL", "84", style="ASIAN", **THROUGH),
    "average price put": option("PUT", "88", style="ASIAN", **THROUGH),
    "American call": option("CALL", "80", style="AMERICAN", **DELIVERS),
    "American cash put": option("PUT", "95", style="AMERICAN"),
    "Bermudan put": option("PUT", "95", style="BERMUDAN",
                           exercises=["2026-11-23T11:00:00Z", EXPIRY], **DELIVERS),
    "swing": contract("SWING", GAS, underlying=["TTF-DA"], strike="28.5", minimum="100",
                      maximum="480", daily_minimum="24", premium="500",
                      premium_date="2026-11-24"),
    "storage": contract("STORAGE", GAS, underlying=["TTF-DA"], working_volume="2000",
                        injection_rate="120", start_inventory="800", injection_cost="0.5",
                        withdrawal_cost="0.25", injection_fuel="1.5",
                        withdrawal_ratchets="0:40 30:100 100:100"),
    "tolling": contract("TOLLING", POWER, underlying=["EPEX-DE-DA", "TTF-DA"], heat_rate="1.9",
                        minimum_mw="8", minimum_up_hours="4", start_cost="1500",
                        output_cost="1.2"),
    "battery": contract("BATTERY_TOLLING", POWER, underlying=["EPEX-DE-DA"], energy_mwh="40",
                        efficiency="81", cycle_cost="2", daily_cycles="1",
                        start_energy_mwh="10"),
    "transmission option": contract("TRANSMISSION_RIGHT", POWER,
                                    underlying=["EPEX-FR-DA", "EPEX-DE-DA"], form="OPTION"),
    "transmission obligation": contract("TRANSMISSION_RIGHT", POWER, firmness="95",
                                        underlying=["EPEX-FR-DA", "EPEX-DE-DA"],
                                        form="OBLIGATION"),
}  # fmt: skip
_ROLES = {"SWING": ("index",), "STORAGE": ("index",), "TOLLING": ("power", "fuel", "carbon"),
          "BATTERY_TOLLING": ("index",), "TRANSMISSION_RIGHT": ("source", "sink")}  # fmt: skip
_UNITS = {"MW": "MW:HOUR", "MWh/d": "MWh:DAY"}
_SAME = ("side", "period", "price", "index", "spread", "multiplier", "floor", "cap", "mic",
         "clearing_account", "vintage", "registry")  # fmt: skip


def local(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(BERLIN):%Y-%m-%dT%H:%M}"


def entry_of(terms: dict[str, Any]) -> dict[str, Any]:
    """Return what a person types into the form of the product; a profile is a file beside it."""
    kind = {"INDEX_FORWARD": "PHYSICAL_FORWARD"}.get(terms["product"], terms["product"])
    found = {"kind": kind, "area": terms["market"], **{n: terms[n] for n in _SAME if n in terms}}
    if kind in ("FUTURE", "CERTIFICATE"):
        found |= {"lots" if kind == "FUTURE" else "quantity": terms["quantity"], "counted": "lots"}
    elif "quantity" in terms:
        found |= {"quantity": terms["quantity"], "unit": _UNITS[terms.get("unit", "MW")]}
    if kind == "BASIS_SWAP":
        found |= {"index": terms["receive_index"], "pay_index": terms["index"]}
    if "profile" in terms:
        found["minutes"] = str(terms["profile"]["minutes"])
    if "asset" in terms:
        found |= {"asset": terms["asset"]["id"], "installed_mw": terms["asset"]["installed_mw"],
                  "contracted_mw": terms["asset"]["contracted_mw"]}  # fmt: skip
    if "option" in terms:
        found |= _option_entry(terms["option"])
    if "structure" in terms:
        said = dict(terms["structure"])
        found |= dict(zip(_ROLES[kind], said.pop("underlying"), strict=False)) | said
    found["product"] = terms.get("shape", "base").lower()
    return found


def _option_entry(said: dict[str, Any]) -> dict[str, Any]:
    same = ("style", "premium", "premium_date", "settlement", "ratio", "ratio_unit", "cost")
    found = {"option_type": said["type"], "expiry": local(said["expiry"])}
    found |= {n: said[n] for n in same if n in said}
    found["period_2"] = said.get("second_period", "")
    for field, values in (("index", said["underlying"]), ("strike", said["strikes"])):
        found[field], found[f"{field}_2"] = values[0], (values[1:] or [""])[0]
    earlier = [local(one) for one in said.get("exercises", ()) if one != said["expiry"]]
    return found | {"exercises": " ".join(earlier)}


def row_of(name: str, terms: dict[str, Any]) -> dict[str, str]:
    """Return the cells of a row; its profile is in a file of its own."""
    found = {n: str(terms[n]) for n in (*_SAME, "product", "market", "quantity", "unit", "shape",
                                        "receive_index") if n in terms}  # fmt: skip
    found |= {"client_reference": reference(name), "reason": "agreed"}
    if "asset" in terms:
        found |= {"asset": terms["asset"]["id"], "installed_mw": terms["asset"]["installed_mw"],
                  "contracted_mw": terms["asset"]["contracted_mw"]}  # fmt: skip
    if "option" in terms:
        said = terms["option"]
        found |= {"option_style": said["style"], "option_type": said["type"],
                  **{n: said[n] for n in ("expiry", "premium", "premium_date", "settlement")},
                  **{n: ";".join(said[n]) for n in ("underlying", "strikes")}}  # fmt: skip
        found |= {n: said[n] for n in ("ratio", "ratio_unit", "second_period", "cost") if n in said}
        if "exercises" in said:
            found["exercises"] = ";".join(said["exercises"])
    if "structure" in terms:
        said = dict(terms["structure"])
        found["underlying"] = ";".join(said.pop("underlying"))
        found |= {n: said.pop(n) for n in ("premium", "premium_date") if n in said}
        found["structure"] = "; ".join(f"{n}={value}" for n, value in said.items())
    return found


def reference(name: str) -> str:
    return name.replace(" ", "-")


def profile_rows(name: str, terms: dict[str, Any]) -> list[str]:
    start = datetime(2026, 11, 30, 23, tzinfo=UTC)
    return [f"{reference(name)},{(start + timedelta(hours=n)).isoformat()},{mw}"
            for n, mw in enumerate(terms["profile"]["mw"])]  # fmt: skip


FIRST_DAY = date(2026, 12, 1)
