"""Say what the demo's day brought, from the tables."""
# ruff: noqa: T201  (a program of the command line prints)

import os
from typing import Any

from .summary import count, rows_of


def report(settlement: dict[str, Any], invoices: list[Any]) -> None:
    """Print what the day brought."""
    prices, quotes = count(
        "SELECT (SELECT count(*) FROM trading_price), (SELECT count(*) FROM trading_quote)"
    )
    print(f"prices      {prices:,} in the table, {quotes:,} forward quotes")
    trades, value = count(
        "SELECT (SELECT count(*) FROM trading_trade),"
        " (SELECT sum(base_value) FROM risk_scopevector)"
    )
    print(f"trades      {trades}, mark-to-market {value:,.2f} EUR")
    print(
        f"energy      {settlement['export_kwh']:,.1f} kWh sold, {settlement['import_kwh']:,.1f} "
        f"kWh bought, {settlement['consumption_kwh']:,.1f} kWh consumed at the sites; "
        f"{settlement['missing_periods']} periods not metered"
    )
    for invoice in invoices:
        print(f"invoice     {invoice.number}: {invoice.gross:,.2f} {invoice.currency} gross")
    reports, files = count(
        "SELECT (SELECT count(*) FROM esg_carbonreport),"
        " (SELECT count(*) FROM esg_carbonreportfile)"
    )
    print(f"carbon      {reports} reports of last month by Beat, {files} files")
    alerts, tickets, notices = count(
        "SELECT (SELECT count(*) FROM support_alert), (SELECT count(*) FROM support_ticket),"
        " (SELECT count(*) FROM support_notification)"
    )
    print(f"alerts      {alerts} fired, {notices} notifications, {tickets} tickets opened")
    events, chained = count(
        "SELECT (SELECT count(*) FROM events_event), (SELECT count(*) FROM audit_auditrecord)"
    )
    print(f"events      {events} recorded, {chained} chained by the audit")


def print_products(end_of_day_id: int) -> None:
    """Print how many of each product a close has valued, and where they are seen."""
    rows = rows_of(
        """
        SELECT product_kind AS kind, count(*) AS held, count(*) FILTER (WHERE is_valued) AS valued
        FROM trading_tradevalue
        WHERE run_id = (SELECT run_id FROM trading_endofday WHERE id = %(closed)s)
        GROUP BY 1 ORDER BY 1
        """,
        closed=end_of_day_id,
    )
    held, valued = (sum(row[name] for row in rows) for name in ("held", "valued"))
    address = os.environ["DEMO_BASE_URL"]
    print(f"products    {len(rows)} kinds, {valued} of {held} deals valued: {address}/trades/")
    for row in rows:
        kind = row["kind"].replace("_", " ").lower()
        print(
            f"            {row['valued']:>2} of {row['held']:>2} {kind:20}"
            f" /trades/?kind={row['kind']}"
        )


def print_options(end_of_day_id: int) -> None:
    """Print what the options were worth at a close, and what became of them since."""
    options, valued, value, delta = count(
        """
        SELECT count(*), count(*) FILTER (WHERE is_valued), coalesce(sum(unrealised), 0),
               (SELECT coalesce(sum(delta), 0) FROM trading_optiongreek greek
                WHERE greek.run_id = max(value.run_id))
        FROM trading_tradevalue value
        WHERE product_kind = 'OPTION'
          AND run_id = (SELECT run_id FROM trading_endofday WHERE id = %(closed)s)
        """,
        closed=end_of_day_id,
    )
    exercised, fixed, cash, lapsed = count(
        "SELECT count(*) FILTER (WHERE kind = 'EXERCISED'), count(*) FILTER (WHERE kind = 'FIXED'),"
        " coalesce(sum(cash), 0), count(*) FILTER (WHERE kind = 'LAPSED')"
        " FROM trading_optionoutcome"
        " WHERE trade_id IN (SELECT id FROM trading_trade WHERE product_kind = 'OPTION')"
    )
    print(
        f"options     {valued} of {options} valued at {value:,.2f} EUR, delta {delta:,.0f} MWh; "
        f"then {exercised} exercised, {fixed} fixed for {cash:,.2f} EUR, {lapsed} lapsed"
    )
    runs, passed, failed = count(
        "SELECT count(*), coalesce(sum(passed), 0), coalesce(sum(cases - passed), 0)"
        " FROM validation_runoutcome"
    )
    print(f"models      {runs} validation run, {passed} cases pass, {failed} do not")
