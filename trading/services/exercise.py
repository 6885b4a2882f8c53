"""
Decide options: by the notice of their holder, or by the clock when they are fixed or lapse.

Each period of an option is decided once (`OptionOutcome`). What delivers becomes a trade of its
own at the strike; what is settled in cash gets its amount and the day on which it is due.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import OuterRef, Subquery

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.foundation.events.services import record_event
from energyopti.foundation.money import Rounding, round_exact
from trading.checks import run_checks
from trading.deals import (
    Deal,
    DealError,
    Option,
    OptionPeriod,
    Settlement,
    check_exercise,
    exercised_deal,
    needs_notice,
    option_cash,
    option_periods,
)
from trading.models import (
    CaptureBasis,
    Leg,
    LegKind,
    OptionOutcome,
    OptionOutcomeKind,
    Trade,
    TradeEvent,
    TradeStatus,
    TradeVersion,
)
from trading.queries.deals import deal_of, deals_of
from trading.queries.metering import has_meter, shown_months
from trading.queries.option_prices import OptionFixing, option_fixing
from trading.queries.payments import Agreed
from trading.queries.proposals import TradeInvalid, propose

from .capture import Receipt
from .life import check_words
from .locks import server_time
from .trade_sides import Side, add, change
from .trade_versions import Terms, add_version, lock_trades, next_trade_id

_OPTION = "OPTION"
# A power purchase agreement may have a floor and a cap.
_WITH_OPTIONS = (_OPTION, "PPA")
# An option may expire so long before its delivery.
_LONGEST_NOTICE = timedelta(days=3660)
_UNIT = Decimal("0.000001")
# Who may still have something fixed: what ended early has had its terms cut or taken out.
_OPEN = (TradeStatus.LIVE, TradeStatus.MATURED)


@dataclass(frozen=True, slots=True)
class Decided:
    """What the clock decided: periods that were fixed and paid, and options that lapsed."""

    fixed: int
    lapsed: int


def exercise_option(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    received_at: datetime,
    exercised_at: datetime | None = None,
    reason: str = "",
) -> Receipt:
    """
    Record that the holder of an option exercises it: we, of one that we hold, else they.

    One with delivery makes a trade at the strike, which names the option in `replaces`; one in
    cash is paid at its settlement price of that time. The checks are recorded and stop nothing:
    an exercise is a fact.

    exercised_at    when notice was given; now, if it is left out. A notice recorded after the
                    expiry needs a reason.

    :raises PermissionMissing: without `trading.exercise_option`.
    :raises TradeInvalid: for a trade that is no option, or a time that its style does not allow.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as every verb on a trade.
    """
    actor.require("trading.exercise_option")
    check_words(reason=reason)
    at = exercised_at or received_at
    if at.utcoffset() is None:
        raise TradeInvalid("exercised_at", "needs a UTC offset.")
    if at > received_at:
        raise TradeInvalid("exercised_at", "lies in the future.")
    made: list[tuple[Side, Trade]] = []

    def exercise(side: Side, _: int) -> Receipt:
        number, leg = _only_option(deal_of(side.held))
        if at < side.held.traded_at:
            raise TradeInvalid("exercised_at", "is before the option was traded.")
        if received_at > leg.expiry and not reason.strip():
            raise TradeInvalid("reason", "say why the notice is recorded after the expiry.")
        try:
            check_exercise(leg, at)
            deal = exercised_deal(leg) if leg.settlement is Settlement.PHYSICAL else None
        except DealError as error:
            raise TradeInvalid(error.field, error.rule) from error
        (period,) = option_periods(leg)
        fixing = None
        if deal is None:
            fixing = option_fixing(leg, period.interval, as_of=at, known_at=server_time())
            if fixing is None:
                raise TradeInvalid("exercised_at", "there is no settlement price of that time.")
        result = None if deal is None else _deliver(actor, side, deal, at, received_at, reason)
        receipt = add(
            side, TradeEvent.EXERCISE, TradeStatus.MATURED, actor, at, reason=reason,
            payload={"result": result.ref} if result else {},
        )  # fmt: skip
        version = TradeVersion.objects.get(trade=side.trade, version=receipt.version)
        kind = OptionOutcomeKind(OptionOutcomeKind.EXERCISED)
        _record(actor, version, number, leg, period, kind, at, fixing, result)
        if result is not None:
            made.append((side, result))
        return receipt

    with transaction.atomic():
        receipt = change(actor, ref, expected_version, TradeEvent.EXERCISE, exercise)
        if len(made) == 2:
            (_, one), (_, other) = made
            Trade.objects.filter(pk=one.pk).update(mirror_id=other.pk)
            Trade.objects.filter(pk=other.pk).update(mirror_id=one.pk)
    return receipt


def decide_options(*, actor: Actor, as_of: datetime) -> Decided:
    """
    Fix and pay what settles by itself, and let lapse what nobody exercised, by an instant.

    A period waits until all its prices are known, and until what it delivered was metered, where a
    meter says that; at the latest when its payment is due. The same again changes nothing. Each
    trade has a transaction of its own.

    :raises PermissionMissing: for anybody but the system; the clock alone does this.
    """
    if not actor.is_system:
        raise PermissionMissing("trading.decide_options")
    fixed = lapsed = 0
    for trade_id in undecided_options(as_of):
        with transaction.atomic():
            found = _decide(actor, trade_id, as_of)
        fixed, lapsed = fixed + found.fixed, lapsed + found.lapsed
    return Decided(fixed, lapsed)


def undecided_options(as_of: datetime) -> list[int]:
    """Return the trades with an option period that is over by an instant and not decided."""
    latest = TradeVersion.objects.filter(trade=OuterRef("trade")).order_by("-version")
    held = TradeVersion.objects.filter(
        pk=Subquery(latest.values("pk")[:1]), product_kind__in=_WITH_OPTIONS,
        trade__status__in=_OPEN, delivery_start__lte=as_of + _LONGEST_NOTICE,
    ).order_by("trade_id")  # fmt: skip
    versions = {version.terms_version_id: version for version in held}
    decided = set(
        OptionOutcome.objects.filter(trade__in=[v.trade_id for v in held]).values_list(
            "trade_id", "leg", "start"
        )
    )
    # Terms are read only where the rows of the legs leave a doubt: a profile is long.
    wanted = {
        leg.version_id
        for leg in Leg.objects.filter(kind=LegKind.OPTION, version_id__in=versions)
        if _may_be_over(leg, as_of)
        > sum(key[:2] == (versions[leg.version_id].trade_id, leg.number) for key in decided)
    }
    chosen = [version for terms_id, version in versions.items() if terms_id in wanted]
    return [
        version.trade_id
        for version, deal in zip(chosen, deals_of(chosen), strict=True)
        if any(_waiting(version.trade_id, deal, decided, as_of))
    ]


def _may_be_over(leg: Leg, as_of: datetime) -> int:
    """Return how many periods of a leg are over at most; from its row alone."""
    expired = datetime.fromisoformat(leg.terms["expiry"]) <= as_of
    if leg.terms["type"] not in ("CAP", "FLOOR", "COLLAR"):
        return int(expired)
    first, last = leg.first_date, leg.after_date
    if not expired:
        # A day more: no clock is further than that from UTC.
        last = min(last, (as_of + timedelta(days=1)).date().replace(day=1))
    return 12 * (last.year - first.year) + last.month - first.month + int(last.day > 1)


def _waiting(
    trade_id: int, deal: Deal, decided: Container[tuple[int, int, datetime]], as_of: datetime
) -> Iterator[tuple[int, Option, OptionPeriod]]:
    """Return the periods that are over and not decided."""
    for number, leg in _options(deal):
        for period in option_periods(leg):
            key = (trade_id, number, period.interval.start)
            if key not in decided and _over_at(leg, period) <= as_of:
                yield number, leg, period


def _decide(actor: Actor, trade_id: int, as_of: datetime) -> Decided:
    path = lock_trades([trade_id])[trade_id]
    trade = Trade.objects.select_for_update().get(pk=trade_id)
    if trade.status not in _OPEN:
        return Decided(0, 0)
    held = TradeVersion.objects.select_related("market").get(
        trade=trade, version=trade.latest_version
    )
    deal = deal_of(held)
    decided = set(OptionOutcome.objects.filter(trade=trade).values_list("trade_id", "leg", "start"))
    found: list[tuple[int, Option, OptionPeriod, OptionFixing | None]] = []
    metered = {month.part.interval.start: month for month in shown_months(held, deal)[0]}
    is_metered = has_meter(deal)
    for number, leg, period in _waiting(trade_id, deal, decided, as_of):
        if needs_notice(leg):
            found.append((number, leg, period, None))
            continue
        before = leg.expiry <= period.interval.start
        month = metered.get(period.interval.start)
        is_read = month is not None and bool(month.is_metered.all())
        if is_metered and not is_read and as_of < _due_at(held, period):
            continue  # what is not read by then counts as expected
        fixing = option_fixing(
            leg, period.interval, as_of=leg.expiry if before else as_of, known_at=server_time(),
            metered=month,
        )  # fmt: skip
        if fixing is not None:
            found.append((number, leg, period, fixing))
    version = held
    periods = sum(len(option_periods(leg)) for leg in deal.options)
    is_over = bool(found) and len(decided) + len(found) == periods
    if is_over and trade.product_kind == _OPTION and trade.status == TradeStatus.LIVE:
        version = add_version(
            trade=trade, before=held, event=TradeEvent.EXPIRE, status=TradeStatus.MATURED,
            actor=actor, book_path=path,
            effective_at=max(leg.expiry for leg in deal.options),
        )  # fmt: skip
    for number, leg, period, fixing in found:
        kind = OptionOutcomeKind.LAPSED if fixing is None else OptionOutcomeKind.FIXED
        at = _over_at(leg, period)
        _record(actor, version, number, leg, period, OptionOutcomeKind(kind), at, fixing, None)
    fixed = sum(fixing is not None for *_, fixing in found)
    return Decided(fixed, len(found) - fixed)


def _options(deal: Deal) -> Iterator[tuple[int, Option]]:
    """Return the option legs with the numbers that their rows have; fees have none."""
    for number, leg in enumerate(deal.legs, start=1):
        if isinstance(leg, Option):
            yield number, leg


def _only_option(deal: Deal) -> tuple[int, Option]:
    found = list(_options(deal))
    if len(found) != 1:
        raise TradeInvalid("trade", "is no option by itself.")
    return found[0]


def _over_at(leg: Option, period: OptionPeriod) -> datetime:
    """Return from when a period can be decided: its delivery's end where that is fixed later."""
    if needs_notice(leg) or leg.expiry <= period.interval.start:
        return leg.expiry
    return period.interval.end


def _deliver(
    actor: Actor, side: Side, deal: Deal, at: datetime, received_at: datetime, reason: str
) -> Trade:
    """Add the trade that an exercise makes, in the option's book with its counterparty."""
    option = side.trade
    proposal = propose(
        actor=actor, deal=deal, book_id=option.book_id, counterparty_id=option.counterparty_id,
        traded_at=at, received_at=received_at, is_fact=True,
    )  # fmt: skip
    proposal = replace(proposal, trader=option.trader)
    results = run_checks(proposal)
    trade_id = next_trade_id()
    trade = Trade.objects.create(
        id=trade_id,
        ref=f"T-{trade_id:08d}",
        organization_id=option.organization_id,
        book_id=option.book_id,
        counterparty_id=option.counterparty_id,
        trader=option.trader,
        status=TradeStatus.LIVE,
        basis=CaptureBasis.FILL,
        product_kind=deal.kind.value,
        request_hash=option.request_hash,
        package_id=option.package_id,
        replaces=option,
        tags=option.tags,
        recorded_at=server_time(),
    )
    add_version(
        trade=trade, before=None, event=TradeEvent.CAPTURE, status=TradeStatus.LIVE, actor=actor,
        book_path=side.path, terms=Terms.of(proposal), checks=[r.as_json() for r in results],
        results=results, reason=reason or f"exercise of {option.ref}", effective_at=at,
        traded_at=at, is_fact=True, payload={"replaces": option.ref},
    )  # fmt: skip
    return trade


def _record(
    actor: Actor,
    version: TradeVersion,
    number: int,
    leg: Option,
    period: OptionPeriod,
    kind: OptionOutcomeKind,
    decided_at: datetime,
    fixing: OptionFixing | None,
    result: Trade | None,
) -> OptionOutcome:
    cash, amount = Decimal(0), period.amount
    if fixing is not None:
        amount = period.amount if fixing.amount is None else fixing.amount
        cash = option_cash(leg, amount, fixing.per_unit).amount
    outcome = OptionOutcome.objects.create(
        trade_id=version.trade_id,
        version=version,
        leg=number,
        start=period.interval.start,
        end=period.interval.end,
        kind=kind,
        decided_at=decided_at,
        prices=[] if fixing is None else [str(_rounded(price)) for price in fixing.prices],
        source="" if fixing is None else fixing.source,
        amount=_rounded(amount),
        unit=leg.schedule.area.price_unit,
        payoff=None if fixing is None else _rounded(fixing.per_unit),
        cash=cash,
        currency=leg.currency,
        due_date=_due(version, decided_at) if cash else None,
        result=result,
        actor_id=actor.id,
        recorded_at=server_time(),
    )
    trade = version.trade
    record_event(
        type=f"option.{kind.value.lower()}",
        actor=actor,
        aggregate_type="trade",
        aggregate_id=trade.ref,
        organization_id=trade.organization_id,
        key=f"book:{trade.book_id}",
        payload={
            "ref": trade.ref,
            "leg": number,
            "start": outcome.start.isoformat(),
            "end": outcome.end.isoformat(),
            "decided_at": decided_at.isoformat(),
            "prices": outcome.prices,
            "payoff": None if outcome.payoff is None else str(outcome.payoff),
            "amount": f"{outcome.amount} {outcome.unit}",
            "cash": f"{cash} {leg.currency}",
            "due_date": outcome.due_date.isoformat() if outcome.due_date else None,
            "result": result.ref if result else None,
        },
    )
    return outcome


def _due(version: TradeVersion, decided_at: datetime) -> date:
    last = version.market.calendar.date_of(decided_at - timedelta(microseconds=1))
    return Agreed([version.counterparty_id]).day(version, last)


def _due_at(version: TradeVersion, period: OptionPeriod) -> datetime:
    """Return the start of the day on which a period's payment is due."""
    return version.market.calendar.day(_due(version, period.interval.end)).start


def _rounded(value: Fraction) -> Decimal:
    return round_exact(value, quantum=_UNIT, rounding=Rounding.HALF_UP)
