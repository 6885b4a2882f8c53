"""Risk's step of the end of day: a run of each top book, at the close and of what was known."""

from energyopti.accounts.actors import Actor
from risk.queries.run_terms import RunTerms
from trading.closing import Closing, Finding, StepResult
from trading.queries.books import top_books

STEP = "risk_run"


def run_risk_of_day(closing: Closing) -> StepResult:
    """
    Make the risk run of each top book on the curves of the close, with the desk's usual terms.

    A book whose run fails leaves a finding and its last good run; the others are made.
    """
    # Registered when Django starts, which NumPy need not wait for.
    from risk.engine import ScenarioError, TailError

    from .runs import make_run_of_close
    from .snapshots import NoBasis, build_snapshot

    # Who closes a day need not be allowed to move the books to other curves; these do not move.
    system = Actor.system("risk", request_id=closing.actor.request_id)
    try:
        built = build_snapshot(actor=system, valued_at=closing.as_of, is_live=False)
    except NoBasis as error:
        return StepResult(f"No risk run: {error}")
    made, findings = [], []
    for book_id, code in top_books(closing.organization_id):
        try:
            outcome = make_run_of_close(
                actor=closing.actor, book_id=book_id, terms=RunTerms(),
                snapshot_id=built.snapshot_id, known_at=closing.known_at,
            )  # fmt: skip
        except (ScenarioError, TailError) as error:
            findings.append(Finding(f"{code} has no risk run: {error}"))
            continue
        first = outcome.numbers.order_by("-confidence").first()
        assert first is not None, "a run has a number"
        made.append(f"{code} VaR {first.var:,.2f} {outcome.currency}")
        if outcome.unvalued:
            findings.append(Finding(f"{code}: the risk run leaves out parts of trades."))
    return StepResult(f"Risk runs: {'; '.join(made) or 'none'}.", tuple(findings))
