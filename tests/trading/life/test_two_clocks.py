"""Two workers whose clock strikes at once: what is fixed, paid and settled is so once."""

import threading
from collections import Counter

import pytest
from django.db import connection

from energyopti.foundation.events.models import Event
from trading.models import OptionOutcome, Trade, TradeVersion
from trading.tasks import mature

from .desk_of_each import AFTER, BOOKED, MONDAY, NOMINATED, THURSDAY, clock_at, open_world

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_one_of_each_sort_is_fixed_paid_and_settled_once():
    world = open_world()
    world.market(THURSDAY)
    with clock_at(BOOKED):
        for name in ("swap", "cap", "Asian call", "physical put", "swing"):
            world.book(name)
        world.keep_one_of_each()
    with clock_at(MONDAY):
        for day, quantities in NOMINATED["swing"].items():
            world.say("swing", "nominations", day=day, quantities=quantities)
    world.spot()
    ready, ended = threading.Barrier(2), []

    def strike() -> None:
        try:
            ready.wait(60)
            ended.append(mature.apply(throw=True).state)
        finally:
            connection.close()

    threads = [threading.Thread(target=strike) for _ in range(2)]
    with clock_at(AFTER):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)

    assert ended == ["SUCCESS", "SUCCESS"]
    assert set(Trade.objects.values_list("status", flat=True)) == {"CANCELLED", "SETTLED"}
    periods = OptionOutcome.objects.values_list("trade_id", "leg", "start")
    assert max(Counter(periods).values()) == 1
    # Two months of the cap, the average, the put that lapsed, two days of the swing.
    assert periods.count() == 6
    settled = TradeVersion.objects.filter(event="SETTLE").values_list("trade_id", flat=True)
    assert sorted(settled) == sorted(
        Trade.objects.filter(status="SETTLED").values_list("pk", flat=True)
    )
    told = Event.objects.filter(type__in=("option.fixed", "option.lapsed", "structure.settled"))
    assert told.count() == 6
