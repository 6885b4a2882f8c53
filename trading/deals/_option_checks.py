"""What options are refused at capture: those that could not be valued, exercised or settled."""

from __future__ import annotations

from trading.deals._errors import DealError
from trading.deals._exercise import needs_notice
from trading.deals._legs import Option, OptionStyle, OptionType, Settlement
from trading.deals._option_units import first_factor, second_factor
from trading.deals._periods import period_name
from trading.deals._volumes import Profile

_EARLY = frozenset({OptionStyle.AMERICAN, OptionStyle.BERMUDAN})
_STRIPS = frozenset({OptionType.CAP, OptionType.FLOOR, OptionType.COLLAR})
_SWAPTIONS = frozenset({OptionType.PAYER_SWAPTION, OptionType.RECEIVER_SWAPTION})


def check_option(leg: Option) -> None:
    """
    Refuse an option that could not be valued, exercised or settled here; asked at capture.

    :raises DealError: naming the field.
    """
    area, schedule = leg.schedule.area, leg.schedule
    if leg.style in _EARLY and (leg.option_type in _STRIPS or len(leg.underlying) > 1):
        raise DealError(
            "style",
            f"{leg.style.value.title()}: early exercise of a {leg.option_type.value} has no"
            " formula here; book it as European.",
        )
    if isinstance(schedule.volume, Profile):
        raise DealError(
            "volume", "an option is on a constant volume here; book one for each shape and month."
        )
    _check_underlying(leg)
    if len(leg.exercises) > 1 and leg.style is not OptionStyle.BERMUDAN:
        raise DealError(
            "exercises",
            "only a Bermudan has several; book an option for each date and what it decides.",
        )
    is_swaption = leg.option_type in _SWAPTIONS
    is_average = leg.style is OptionStyle.ASIAN or (
        leg.expiry > schedule.interval.start and leg.option_type not in _STRIPS
    )
    if leg.second_period is not None:
        _check_deliveries(leg)
    if is_average and is_swaption:
        raise DealError("expiry", f"{leg.option_type} is decided before its delivery begins.")
    if needs_notice(leg) and leg.expiry > schedule.interval.start:
        raise DealError(
            "expiry",
            "what is exercised by notice is decided before its delivery begins"
            f" ({schedule.interval.start.astimezone(area.calendar.zone):%Y-%m-%d %H:%M}).",
        )
    is_paid = len(leg.underlying) > 1 or not needs_notice(leg)
    if leg.settlement is Settlement.PHYSICAL and is_paid:
        raise DealError(
            "settlement",
            "a cap, floor, collar, average or spread is settled in cash; it has no delivery of its"
            " own.",
        )


def _check_underlying(leg: Option) -> None:
    area, shape = leg.schedule.area, leg.schedule.shape
    for index in leg.underlying:
        for currency in (index.currency, index.area.currency):
            if currency != leg.currency:
                raise DealError(
                    "underlying",
                    f"{index.code} is in {currency}, the option in {leg.currency}; book it in the"
                    " index's currency and hedge the exchange rate apart from it.",
                )
        try:
            index.area.shape(shape.code, on=leg.schedule.period.first)
            if index is leg.underlying[0]:
                first_factor(leg)
        except DealError as error:
            raise DealError(
                "underlying", f"{index.code}: {error.rule} The option is per {area.price_unit}."
            ) from error
    if not leg.is_spread:
        return
    first, second = leg.underlying
    try:
        second_factor(leg)
    except DealError as error:
        if leg.ratio_unit != area.price_unit:
            raise DealError("ratio_unit", f"{second.code}: {error.rule}") from error
        raise DealError(
            "ratio",
            f"{second.code}: {error.rule} Say how many {second.area.price_unit} go with one"
            f" {area.price_unit}, as ratio and its unit.",
        ) from error
    if first.area.code == second.area.code and leg.second_period is None:
        raise DealError(
            "underlying",
            f"both are priced on the curve of {first.area.code}, which has no spread of one"
            " delivery; name a second one for a calendar spread.",
        )


def _check_deliveries(leg: Option) -> None:
    """Refuse two deliveries that are one, or that are not both decided on their forwards."""
    first, second = leg.schedule, leg.second_schedule
    one, other = (index.area.code for index in leg.underlying)
    if first.period == second.period:
        raise DealError("second_period", "is the first's own; leave it out, or name another.")
    if one == other and max(first.period.first, second.period.first) < min(
        first.period.after, second.period.after
    ):
        raise DealError(
            "second_period",
            f"{period_name(second.period)} and {period_name(first.period)} share days, whose price"
            f" in {one} is no spread; a calendar spread is of two deliveries apart.",
        )
    if leg.style is OptionStyle.ASIAN:
        raise DealError(
            "style", "an option on two deliveries is decided on their forwards; book it European."
        )
    starts = min(first.interval.start, second.interval.start)
    if leg.expiry > starts:
        raise DealError(
            "expiry",
            "an option on two deliveries is decided before the earlier of them begins"
            f" ({starts.astimezone(first.area.calendar.zone):%Y-%m-%d %H:%M}).",
        )


def check_bound(leg: Option) -> None:
    """
    Refuse a floor or cap of a delivery that could not be valued here; asked at capture.

    :raises DealError: naming the field.
    """
    if leg.option_type not in _STRIPS:
        raise DealError("option_type", f"{leg.option_type} is no bound; CAP, FLOOR and COLLAR are.")
    priced = (leg.currency, leg.schedule.area.price_unit)
    for index in leg.underlying:
        if (index.currency, index.price_unit) != priced:
            raise DealError(
                "underlying",
                f"{index.code} is in {index.currency}/{index.price_unit}, the bound in"
                f" {'/'.join(priced)}.",
            )
