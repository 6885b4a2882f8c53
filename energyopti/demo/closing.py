"""Close the demo's days as the desk would: run by a job, signed by the risk officer, proved."""
# ruff: noqa: T201  (a program of the command line prints)

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from .summary import Reconciliation, count

# What a report says against the steps of its trades.
_EXPLAINED = """
SELECT count(*), count(*) FILTER (WHERE report.total IS DISTINCT FROM steps.total)
FROM trading_pnlreport report
LEFT JOIN LATERAL (
    SELECT coalesce(sum(reporting), 0) AS total FROM trading_pnlstep WHERE report_id = report.id
) steps ON true
WHERE report.kind = 'OFFICIAL'
"""


def close_day(market: Any, wait_for: Callable[..., Any]) -> int:
    """
    Run the end of the day that the demo's clock shows, as of now, and have it signed.

    Returns the id of the run. `wait_for` is `day.wait_for`, which raises if the job never ends.
    """
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import Organization, User
    from energyopti.foundation import clock
    from trading.services.end_of_day import sign_end_of_day, start_end_of_day

    from .people import COMPANY

    now = clock.now()
    day = market.calendar.date_of(now)
    row = start_end_of_day(
        actor=Actor.system("demo"),
        organization_id=Organization.objects.get(name=COMPANY).pk,
        day=day,
        as_of=now,
        asked_at=now,
    )
    # In real time the worker needs a second or two, which are an hour of the demo's clock.
    wait_for(f"the end of {day}", lambda: _has_ended(row.pk), now + timedelta(hours=12))
    signed = sign_end_of_day(
        actor=Actor.for_user(User.objects.get(email="risk@demo.example")),
        end_of_day_id=row.pk,
        signed_at=clock.now(),
        reason="demo: seen",
    )
    said = {step["step"]: step["said"].rstrip(".") for step in signed.steps}
    print(
        f"metering    {day}: {said['metering']}\n"
        f"end of day  {day} run {signed.number}: {said['valuation']},"
        f" {len(signed.checks)} findings, signed by the risk officer, result hash"
        f" {signed.run.result_hash[:16]}"
    )
    return int(row.pk)


def _has_ended(end_of_day_id: int) -> bool:
    return _run(end_of_day_id).state != "RUNNING"


def _run(end_of_day_id: int) -> Any:
    from energyopti.accounts.actors import Actor
    from trading.queries.end_of_day import end_of_day_for

    return end_of_day_for(Actor.system("demo"), end_of_day_id)


def print_pnl(end_of_day_id: int) -> None:
    """Print why the books are worth another amount than at the close before."""
    from energyopti.accounts.actors import Actor
    from trading.queries.pnl import days_of_pnl

    day = _run(end_of_day_id).day
    for found in days_of_pnl(Actor.system("demo"), day=day):
        steps = " ".join(
            f"{step.label} {step.amount:+,.2f}," for step in found.steps if step.amount
        )
        moved = steps or "nothing moved,"
        print(f"P&L         {day}: {moved} in all {found.total:+,.2f} {found.currency}")


def reconcile_closings(runs: list[int]) -> Reconciliation:
    """A closed day = the same day valued and explained again: hashes, and steps to the cent."""
    from energyopti.accounts.actors import Actor
    from trading.services.closing_proofs import prove_end_of_day

    proofs = [prove_end_of_day(actor=Actor.system("demo"), end_of_day_id=run) for run in runs]
    same = sum(proof.is_same for proof in proofs)
    reports, unexplained = count(_EXPLAINED)
    return Reconciliation(
        "closed day = computed again",
        bool(proofs) and same == len(proofs) and bool(reports) and not unexplained,
        f"{same} of {len(proofs)} days come out with their hashes, "
        f"{reports - unexplained} of {reports} reports sum to the cent",
    )
