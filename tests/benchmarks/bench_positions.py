"""The heat map of positions over 100,000 trades: every length of column, now and as of before."""

import time

from django.urls import reverse

from .desk_of_trades import fill_desk
from .runner import Bench, benchmark

BUDGET_MS = 300
ROUNDS = 6


@benchmark("position_heat_map")
def position_heat_map(bench: Bench) -> None:
    """Time whole answers of the server, template included, against the budget."""
    client, address = fill_desk().client(), reverse("trading:positions_heat")
    days = ("2027-03-01", "2028-01-15", "2029-10-28")
    for what, as_of in (("now", ""), ("as of a past moment", "2026-09-20T17:00:00")):
        times = []
        for by in ("hour", "day", "month", "quarter", "year"):
            for rows in ("book", "point"):
                for measure in ("exposure", "physical"):
                    for number in range(ROUNDS // 2):
                        asked = {
                            "by": by, "rows": rows, "measure": measure, "as_of": as_of,
                            "date": days[number % len(days)],
                        }  # fmt: skip
                        if number == 0 and measure == "exposure":
                            client.get(address, asked)  # the hours of its shapes are walked once
                        started = time.perf_counter()
                        answer = client.get(address, asked)
                        times.append((1000 * (time.perf_counter() - started), str(asked)))
                        assert answer.status_code == 200
        times.sort()
        for elapsed, name in times[-3:]:
            print(f"   {elapsed:6.0f} ms  {name}")
        bench.record(
            f"a heat map {what}, p95 of {len(times)}",
            value=times[int(0.95 * len(times))][0],
            unit="ms",
            reference="the budget",
            reference_value=BUDGET_MS,
            better="lower",
            target=None if as_of else 1,
        )
