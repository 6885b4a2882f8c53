"""
Add up a day of the demo from the tables, by other ways than the code that filled them.

Each figure is one SQL statement over what was booked; the reconciliations compare two
independent readings of the same thing, and the caller fails on the first that does not agree.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from energyopti.foundation.intervals import Interval

# What the legs of trades say month by month, to be delivered and at the market's price, against the
# running totals that risk reads. Rights have no such legs; plants and profiles are below.
_POSITIONS = """
WITH of_trades AS (
    SELECT trade.book_id, leg.market_id, delta.month,
           coalesce(sum(sign.of * leg.quantity) FILTER (WHERE leg.kind = 'DELIVERY'), 0)
               AS physical,
           sum(sign.of * leg.quantity * leg.multiplier) AS exposure
    FROM trading_trade trade
    JOIN trading_tradeversion version
         ON version.trade_id = trade.id AND version.version = trade.latest_version
    JOIN trading_leg leg ON leg.version_id = coalesce(version.terms_id, version.id)
    CROSS JOIN LATERAL (
        SELECT month::date AS month
        FROM generate_series(date_trunc('month', leg.first_date),
                             leg.after_date - interval '1 day', interval '1 month') AS month
    ) AS delta
    CROSS JOIN LATERAL (SELECT CASE leg.direction WHEN 'RECEIVE' THEN 1 ELSE -1 END AS of) AS sign
    WHERE trade.status NOT IN ('DRAFT', 'PENDING', 'CANCELLED')
      AND leg.kind IN ('DELIVERY', 'FLOATING') AND leg.profile_id IS NULL
    GROUP BY 1, 2, 3
), of_positions AS (
    SELECT book_id, market_id, month, sum(physical) AS physical, sum(exposure) AS exposure
    FROM trading_positiontotal WHERE stage = 'LIVE' AND minutes = 0 GROUP BY 1, 2, 3
    HAVING sum(abs(physical) + abs(exposure)) > 0
)
SELECT count(*),
       -- deals that cancel each other out leave no position
       count(*) FILTER (WHERE (coalesce(of_trades.physical, 0), coalesce(of_trades.exposure, 0))
           <> (coalesce(of_positions.physical, 0), coalesce(of_positions.exposure, 0)))
FROM of_trades FULL JOIN of_positions USING (book_id, market_id, month)
"""
# Of each hour of a deal on a plant: its share of what the meter had read when the trade was last
# trued up, or what is expected, against the running totals of profiles.
_PLANTS = """
WITH deal AS (
    SELECT trade.id, trade.book_id, trade.organization_id, version.market_id,
           version.calendar_zone, version.quantity_mw, version.delivery_start,
           version.delivery_end, plant.metering_asset_id,
           CASE version.side WHEN 'BUY' THEN 1 ELSE -1 END AS sign,
           (leg.terms -> 'asset' ->> 'contracted_mw')::numeric
               / (leg.terms -> 'asset' ->> 'installed_mw')::numeric AS share,
           metered.until, metered.recorded_at
    FROM trading_trade trade
    JOIN trading_tradeversion version
         ON version.trade_id = trade.id AND version.version = trade.latest_version
    JOIN trading_leg leg ON leg.version_id = coalesce(version.terms_id, version.id)
         AND leg.kind = 'DELIVERY'
    JOIN trading_plant plant ON plant.code = leg.terms -> 'asset' ->> 'id'
    CROSS JOIN LATERAL (
        SELECT max(effective_at) AS until, max(recorded_at) AS recorded_at
        FROM trading_tradeversion WHERE trade_id = trade.id AND event = 'METER'
    ) AS metered
    WHERE trade.status NOT IN ('DRAFT', 'PENDING', 'CANCELLED')
), delivered AS (
    SELECT deal.book_id, deal.market_id,
           date_trunc('month', hour AT TIME ZONE deal.calendar_zone)::date AS month,
           deal.sign * coalesce(actual.energy_kwh / 1000 * deal.share, deal.quantity_mw) AS mwh,
           actual.energy_kwh IS NOT NULL AS is_metered
    FROM deal
    CROSS JOIN LATERAL generate_series(
        deal.delivery_start, deal.delivery_end - interval '1 hour', interval '1 hour'
    ) AS hour
    LEFT JOIN LATERAL (
        SELECT energy_kwh FROM trading_actual
        WHERE organization_id = deal.organization_id AND asset_id = deal.metering_asset_id
          AND flow = 'EXPORT' AND period_start = hour AND recorded_at <= deal.recorded_at
          AND hour + interval '1 hour' <= deal.until
        ORDER BY version DESC LIMIT 1
    ) AS actual ON true
), by_month AS (
    SELECT book_id, market_id, month, sum(mwh) AS mwh,
           count(*) FILTER (WHERE is_metered) AS metered
    FROM delivered GROUP BY 1, 2, 3
), of_positions AS (
    SELECT book_id, market_id, month, sum(physical) AS mwh
    FROM trading_positiontotal
    WHERE stage = 'LIVE' AND minutes > 0 AND market_id IN (SELECT market_id FROM deal)
    GROUP BY 1, 2, 3
)
SELECT count(*), coalesce(sum(metered), 0),
       count(*) FILTER (WHERE by_month.mwh IS DISTINCT FROM of_positions.mwh)
FROM by_month FULL JOIN of_positions USING (book_id, market_id, month)
"""
# Of each exercised option what it said: its MW over the hours of its days in the market's zone, at
# its strike, against the trade that it made and what that adds to positions.
_EXERCISES = """
WITH right_of AS (
    SELECT outcome.result_id, leg.quantity AS mw, (leg.terms -> 'strikes' ->> 0)::numeric AS strike,
           extract(epoch FROM leg.after_date::timestamp AT TIME ZONE version.calendar_zone
                   - leg.first_date::timestamp AT TIME ZONE version.calendar_zone) / 3600 AS hours,
           CASE WHEN (leg.direction = 'RECEIVE') = (leg.terms ->> 'type' IN ('CALL',
               'PAYER_SWAPTION')) THEN 1 ELSE -1 END AS sign
    FROM trading_optionoutcome outcome
    JOIN trading_tradeversion version ON version.id = outcome.version_id
    JOIN trading_leg leg ON leg.version_id = coalesce(version.terms_id, version.id)
         AND leg.number = outcome.leg
    WHERE outcome.kind = 'EXERCISED' AND outcome.result_id IS NOT NULL
), made AS (
    SELECT result_id, right_of.strike * right_of.mw * right_of.hours AS worth,
           right_of.sign * right_of.mw * right_of.hours AS mwh,
           version.price * version.energy_mwh AS paid,
           CASE version.side WHEN 'BUY' THEN 1 ELSE -1 END * version.energy_mwh AS dealt,
           (SELECT sum(delta.exposure
                       * extract(epoch FROM delta.end - delta.start) / 3600)
            FROM trading_positiondelta delta
            WHERE delta.trade_version_id = version.id) AS added
    FROM right_of
    JOIN trading_trade trade ON trade.id = result_id
    JOIN trading_tradeversion version
         ON version.trade_id = trade.id AND version.version = trade.latest_version
)
SELECT count(*), coalesce(sum(mwh), 0), coalesce(sum(worth), 0),
       count(*) FILTER (WHERE (worth, mwh, mwh) IS DISTINCT FROM (paid, dealt, added))
FROM made
"""
# What each fixed period of an option paid, from the published prices of its hours: averages,
# spreads of averages, and months of caps and floors.
_OPTION_CASH = """
WITH fixed AS (
    SELECT outcome.cash, leg.quantity AS mw, leg.terms ->> 'type' AS type,
           (leg.terms -> 'strikes' ->> 0)::numeric AS strike,
           CASE leg.direction WHEN 'RECEIVE' THEN 1 ELSE -1 END AS sign,
           published.first - CASE WHEN leg.terms ->> 'type' LIKE 'SPREAD%%' THEN published.second
                             ELSE 0 END AS mean,
           extract(epoch FROM outcome.end - outcome.start) / 3600 AS hours
    FROM trading_optionoutcome outcome
    JOIN trading_tradeversion version ON version.id = outcome.version_id
    JOIN trading_leg leg ON leg.version_id = coalesce(version.terms_id, version.id)
         AND leg.number = outcome.leg
    CROSS JOIN LATERAL (
        SELECT max(mean) FILTER (WHERE place = 1) AS first,
               max(mean) FILTER (WHERE place = 2) AS second
        FROM jsonb_array_elements_text(leg.terms -> 'underlying') WITH ORDINALITY AS of(code, place)
        JOIN trading_priceindex known ON known.code = of.code
        CROSS JOIN LATERAL (
            SELECT sum(value * period_minutes) / sum(period_minutes) AS mean
            FROM (SELECT DISTINCT ON (period_start) value, period_minutes
                  FROM trading_price
                  WHERE market_id = known.market_id AND series = 'spot'
                    AND period_start >= outcome.start AND period_start < outcome.end
                    AND recorded_at <= outcome.recorded_at
                  ORDER BY period_start, recorded_at DESC) AS price
        ) AS prices
    ) AS published
    WHERE outcome.kind = 'FIXED' AND version.product_kind = 'OPTION'
), again AS (
    SELECT cash,
           round(sign * greatest(
               CASE WHEN type IN ('CALL', 'CAP', 'SPREAD_CALL') THEN mean - strike
               ELSE strike - mean END, 0) * mw * hours, 2) AS paid
    FROM fixed
)
SELECT count(*), coalesce(sum(cash), 0), coalesce(sum(paid), 0),
       count(*) FILTER (WHERE cash IS DISTINCT FROM paid)
FROM again
"""
# What each delivered day of a contract with choices paid, from what was nominated of it (nothing is
# the least that must be taken), the contract's terms and the published prices of its hours.
_DAYS_PAID = """
WITH hour AS (
    SELECT outcome.id, outcome.cash, version.product_kind AS kind, leg.quantity AS mw,
           leg.terms -> 'structure' AS terms, part.place,
           CASE leg.direction WHEN 'RECEIVE' THEN 1 ELSE -1 END AS sign,
           count(*) OVER (PARTITION BY outcome.id) AS hours,
           CASE WHEN version.product_kind IN ('TOLLING', 'BATTERY_TOLLING')
                THEN (said.quantities ->> (part.place - 1)::int)::numeric
                ELSE coalesce((said.quantities ->> 0)::numeric,
                              (leg.terms -> 'structure' ->> 'daily_minimum')::numeric, 0)
           END AS said,
           outcome.start = leg.start AS is_first, price.of
    FROM trading_optionoutcome outcome
    JOIN trading_tradeversion version ON version.id = outcome.version_id
    JOIN trading_leg leg ON leg.version_id = coalesce(version.terms_id, version.id)
         AND leg.number = outcome.leg AND leg.kind = 'STRUCTURE'
    CROSS JOIN LATERAL generate_series(
        outcome.start, outcome.end - interval '1 hour', interval '1 hour'
    ) WITH ORDINALITY AS part(at, place)
    LEFT JOIN LATERAL (
        SELECT quantities FROM trading_structurenomination said
        WHERE said.trade_id = outcome.trade_id AND said.leg = outcome.leg
          AND said.day = (outcome.start AT TIME ZONE version.calendar_zone)::date
          AND said.recorded_at <= outcome.recorded_at
        ORDER BY said.id DESC LIMIT 1
    ) AS said ON true
    CROSS JOIN LATERAL (
        SELECT array_agg((
            SELECT value FROM trading_price
            WHERE market_id = known.market_id AND series = 'spot' AND period_start = part.at
              AND recorded_at <= outcome.recorded_at ORDER BY recorded_at DESC LIMIT 1
        ) ORDER BY code.place) AS of
        FROM jsonb_array_elements_text(leg.terms -> 'underlying')
             WITH ORDINALITY AS code(name, place)
        JOIN trading_priceindex known ON known.code = code.name
    ) AS price
    WHERE outcome.kind = 'FIXED'
), paid AS (
    SELECT id, kind, cash, sign, CASE kind
        WHEN 'SWING' THEN said / hours * (of[1] - (terms ->> 'strike')::numeric)
        WHEN 'STORAGE' THEN said / hours * CASE WHEN said > 0
            THEN of[1] * (1 - (terms ->> 'withdrawal_fuel')::numeric / 100)
                 - (terms ->> 'withdrawal_cost')::numeric
            ELSE of[1] * (1 + (terms ->> 'injection_fuel')::numeric / 100)
                 + (terms ->> 'injection_cost')::numeric END
        WHEN 'BATTERY_TOLLING' THEN
            said * of[1] - greatest(said, 0) * (terms ->> 'cycle_cost')::numeric
        WHEN 'TOLLING' THEN
            said * (of[1] - (terms ->> 'output_cost')::numeric
                    - (terms ->> 'heat_rate')::numeric
                      * (of[2] + coalesce(of[3], 0) * (terms ->> 'carbon_intensity')::numeric))
            - CASE WHEN said > 0 AND coalesce(lag(said) OVER (PARTITION BY id ORDER BY place),
                                              is_first::int) = 0
                   THEN (terms ->> 'start_cost')::numeric ELSE 0 END
        WHEN 'TRANSMISSION_RIGHT' THEN
            mw * (terms ->> 'firmness')::numeric / 100
            * greatest(of[2] - of[1],
                       CASE WHEN terms ->> 'form' = 'OPTION' THEN 0 ELSE of[2] - of[1] END)
        END AS amount
    FROM hour
), day AS (
    SELECT kind, cash, round(sign * sum(amount), 2) AS again FROM paid
    GROUP BY id, kind, cash, sign
)
SELECT count(*), count(DISTINCT kind), coalesce(sum(cash), 0),
       count(*) FILTER (WHERE cash IS DISTINCT FROM again)
FROM day
"""
# What the batteries' own meters counted while an order ran, against what they acknowledged.
_ACKNOWLEDGED = """
SELECT count(*), count(*) FILTER (WHERE status = 'SUCCEEDED'), coalesce(sum(energy_kwh), 0)
FROM schedules_acknowledgement
WHERE command_start >= %(start)s AND command_start < %(end)s
"""
# The counters of every battery's meter at the first and last sample of the day.
_METERED = """
WITH sample AS (
    SELECT device_id, imported, exported,
           started_at + (place - 1) * interval_seconds * interval '1 second' AS at
    FROM telemetry_telemetryrecord,
         unnest(import_wh, export_wh) WITH ORDINALITY AS counter(imported, exported, place)
    WHERE started_at >= %(start)s::timestamptz - interval '6 hours' AND started_at <= %(end)s
), moved AS (
    SELECT device_id,
           max(imported) - min(imported) + max(exported) - min(exported) AS wh
    FROM sample WHERE at >= %(start)s AND at <= %(end)s GROUP BY device_id
)
SELECT count(*), coalesce(sum(wh), 0) / 1000.0 FROM moved
"""


@dataclass(frozen=True)
class Reconciliation:
    """Two readings of one thing, and whether they agree."""

    name: str
    agrees: bool
    words: str


def count(statement: str, **parameters: object) -> tuple[Any, ...]:
    """Return the one row of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    assert row is not None
    return tuple(row)


def rows_of(statement: str, **parameters: object) -> list[dict[str, Any]]:
    """Return the rows of a statement by column name."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def row_of(statement: str, **parameters: object) -> dict[str, Any] | None:
    """Return the first row of a statement by column name, None if there is none."""
    return next(iter(rows_of(statement, **parameters)), None)


def reconcile_positions() -> Reconciliation:
    """Positions = trades: side × MW of every trade in each of its months, against the totals."""
    months, different = count(_POSITIONS)
    return Reconciliation(
        "positions = trades",
        bool(months) and not different,
        f"{months} book-months compared, {different} differ",
    )


def reconcile_plants() -> Reconciliation:
    """Deals on plants = their meters: each hour as it was read, the rest as expected, exactly."""
    months, metered, different = count(_PLANTS)
    return Reconciliation(
        "deals on plants = metered volumes",
        bool(metered) and not different,
        f"{metered} hours metered, {months} book-months compared, {different} differ",
    )


def reconcile_exercises() -> Reconciliation:
    """Exercised options = their forwards: strike × MW × hours of the right, and its positions."""
    options, mwh, worth, different = count(_EXERCISES)
    return Reconciliation(
        "exercised options = their forwards",
        bool(options) and not different,
        f"{options} rights on {mwh:,.0f} MWh for {worth:,.2f} EUR at their strikes, "
        f"{different} differ",
    )


def reconcile_option_cash() -> Reconciliation:
    """Cash of what was fixed = (mean of the published hours − strike) × MWh, to the cent."""
    options, paid, again, different = count(_OPTION_CASH)
    return Reconciliation(
        "option cash = payoff at published prices",
        bool(options) and not different,
        f"{options} fixed, paid {paid:,.2f}, recomputed {again:,.2f} EUR, {different} differ",
    )


def reconcile_days() -> Reconciliation:
    """Cash of delivered days = what was nominated, at the published prices, to the cent."""
    days, kinds, paid, different = count(_DAYS_PAID)
    return Reconciliation(
        "nominated days = paid at published prices",
        bool(days) and not different,
        f"{days} days of {kinds} kinds, paid {paid:,.2f} EUR, {different} differ",
    )


def reconcile_invoices(invoices: list[Any]) -> Reconciliation:
    """Invoice = metered kWh × price, to the cent, by one SQL statement each."""
    from billing.queries.reconciliation import reconcile_invoice

    checked = [reconcile_invoice(invoice) for invoice in invoices]
    wrong = [check for check in checked if not check.agrees]
    words = "; ".join(
        f"{check.number}: {check.energy_kwh:,.3f} kWh, invoiced {check.invoiced_amount:,.2f}, "
        f"recomputed {check.energy_amount:,.2f} {check.currency}"
        for check in checked
    )
    return Reconciliation("invoice = metered kWh × price", bool(checked) and not wrong, words)


def reconcile_energy(day: Interval) -> Reconciliation:
    """Energy in acks = telemetry within 1 %: what batteries said they moved, and their meters."""
    answers, done, said = count(_ACKNOWLEDGED, start=day.start, end=day.end)
    devices, metered = count(_METERED, start=day.start, end=day.end)
    difference = abs(said - metered)
    return Reconciliation(
        "energy in acks = telemetry within 1 %",
        bool(done) and difference <= metered / 100,
        f"{answers} answers, {done} orders done, {said:,.3f} kWh acknowledged; "
        f"{metered:,.3f} kWh on the meters of {devices} batteries",
    )
