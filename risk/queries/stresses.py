"""Stresses and their runs: what holds, every version for the page, runs of one's books."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from energyopti.accounts.actors import Actor
from energyopti.foundation.proposals.models import VersionStatus
from risk.models import StressRun, StressScenario, StressShock
from trading.queries.books import books_for

from .scenario_definitions import VIEW


class UnknownStressRun(LookupError):
    """There is no such run for this actor."""


def _with_shocks() -> QuerySet[StressScenario]:
    shocks = StressShock.objects.select_related("market").order_by("position")
    return StressScenario.objects.prefetch_related(Prefetch("shocks", shocks))


def stresses_in_force() -> list[StressScenario]:
    """Return the version of each code that was approved last, by code; two queries."""
    rows = _with_shocks().filter(status=VersionStatus.APPROVED).order_by("decided_at", "id")
    found = {row.code: row for row in rows}
    return [found[code] for code in sorted(found)]


def stresses(actor: Actor) -> QuerySet[StressScenario]:
    """
    Return every version with its shocks, those of a code together, the latest first.

    :raises PermissionMissing: without `risk.view_scenariodefinition`, as all readers here.
    """
    actor.require(VIEW)
    return _with_shocks().order_by("code", "-number")


def latest_run(actor: Actor, book_id: UUID) -> StressRun | None:
    """Return the latest run of one of the actor's books, None without one."""
    actor.require(VIEW)
    return _runs(actor).filter(book_id=book_id).order_by("-id").first()


def run_of(actor: Actor, run_id: int) -> StressRun:
    """
    Return a run.

    :raises UnknownStressRun: for none, and for one of a book that the actor does not reach.
    """
    actor.require(VIEW)
    found = _runs(actor).filter(pk=run_id).first()
    if found is None:
        raise UnknownStressRun("stress run: there is no such run.")
    return found


def _runs(actor: Actor) -> QuerySet[StressRun]:
    books = [row.id for row in books_for(actor)]
    return StressRun.objects.select_related("book", "snapshot").filter(book_id__in=books)


def words_of(shock: StressShock) -> str:
    """Return what a shock does, in words."""
    where = shock.market.code if shock.market else "every market"
    months = ""
    if shock.first_tenor is not None or shock.last_tenor is not None:
        first = 0 if shock.first_tenor is None else shock.first_tenor
        last = " on" if shock.last_tenor is None else f" to +{shock.last_tenor}"
        months = f", months +{first}{last}"
    if shock.target == "EVENT":
        return f"{where}: what it did from {shock.event_from} to {shock.event_until}{months}"
    sign = "+" if shock.size > 0 else "−"
    share = f"{sign}{abs(shock.size) * 100:g} %"
    if shock.target == "RATE":
        return f"{shock.currency} {share} against every currency"
    if shock.target == "VOLATILITY":
        return f"{where}: {sign}{abs(shock.size) * 100:g} volatility points{months}"
    if shock.target == "VOLUME":
        return f"{where}: volumes {share}"
    amount = f"{sign}{abs(shock.size):g}"
    moved = {
        "ABSOLUTE": f"{amount} currency/unit", "RELATIVE": share,
        "LOGARITHMIC": f"{amount} in logarithms",
        "DISPLACED": f"{amount} in logarithms above −{shock.displacement:g}",
    }[shock.rule]  # fmt: skip
    return f"{where}: prices {moved}{months}"
