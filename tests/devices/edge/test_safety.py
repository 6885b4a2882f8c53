"""No controller widens what is allowed, whoever asks and whatever fails."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.edge.core import ProcessImage, Snapshot
from devices.edge.safety import (
    EmergencyStop,
    PowerInterval,
    PowerLimits,
    SocLimits,
    decide,
    narrowed,
)

NOW = datetime(2027, 3, 28, 1, tzinfo=UTC)
MINUTES = timedelta(minutes=5)
powers = st.floats(-50, 50)


def snapshot(soc: float | None = 0.5, pressed: bool | None = False) -> Snapshot:
    image = ProcessImage(lifetime=timedelta(minutes=1))
    if soc is not None:
        image.measure_soc(soc, NOW)
    if pressed is not None:
        image.measure_emergency_stop(pressed, NOW)
    return image.swap(NOW, MINUTES)


@dataclass(frozen=True)
class Ask:
    """A controller that does what its list says."""

    steps: tuple[tuple[str, float], ...]
    name: str = "ask"

    def narrow(self, snapshot: Snapshot, allowed: PowerInterval) -> PowerInterval:
        for verb, power in self.steps:
            if verb == "fail":
                raise RuntimeError("bus is gone")
            if verb == "widen":
                allowed = PowerInterval.between(-100, 100, self.name)
            else:
                allowed = getattr(allowed, verb)(power, self.name)
        return allowed


steps = st.tuples(st.sampled_from(["at_least", "at_most", "exactly", "fail", "widen"]), powers)
controllers = st.lists(st.lists(steps, max_size=3).map(lambda s: Ask(tuple(s))), max_size=5)
bounds = st.tuples(powers, powers).map(sorted)


@given(bounds, controllers)
def test_no_controller_widens_an_interval(ends, asked):
    allowed = PowerInterval.between(*ends, "nameplate")

    for controller in asked:
        narrower, _ = narrowed([controller], snapshot(), allowed)

        assert allowed.covers(narrower)
        allowed = narrower


@given(bounds, controllers, controllers)
def test_the_setpoint_lies_in_what_the_limits_leave(ends, limits, requests):
    nameplate = PowerInterval.between(*ends, "nameplate")

    decision = decide(snapshot(), nameplate=nameplate, limits=limits, requests=requests)

    alone, _ = narrowed(limits, snapshot(), nameplate)
    assert decision.envelope == alone
    assert alone.lower.power_kw <= decision.setpoint_kw <= alone.upper.power_kw


@given(
    soc=st.floats(0, 1),
    band=st.tuples(st.floats(0, 0.45), st.floats(0.55, 1)),
    request=powers,
    efficiency=st.floats(0.5, 1),
)
def test_state_of_charge_stays_in_its_band_until_the_next_look(soc, band, request, efficiency):
    low, high = band
    limits = (
        EmergencyStop(),
        PowerLimits(20, 20),
        SocLimits(10, efficiency, efficiency, low, high),
    )

    decision = decide(
        snapshot(soc),
        nameplate=PowerInterval.between(-20, 20, "nameplate"),
        limits=limits,
        requests=[Ask((("exactly", request),))],
    )

    hours = MINUTES / timedelta(hours=1)
    power = decision.setpoint_kw
    taken = power / efficiency if power > 0 else power * efficiency
    after = soc - taken * hours / 10
    assert min(soc, low) - 1e-9 <= after <= max(soc, high) + 1e-9


@pytest.mark.parametrize("pressed", [True, None])
def test_emergency_stop_means_zero_and_so_does_not_knowing(pressed):
    decision = decide(
        snapshot(pressed=pressed),
        nameplate=PowerInterval.between(-5, 5, "nameplate"),
        limits=[EmergencyStop()],
        requests=[Ask((("exactly", 5),))],
    )

    assert decision.setpoint_kw == 0
    assert decision.envelope.upper.by.startswith("emergency stop")


def test_an_unknown_state_of_charge_rests_the_battery_and_is_reported():
    decision = decide(
        snapshot(soc=None),
        nameplate=PowerInterval.between(-5, 5, "nameplate"),
        limits=[SocLimits(10, 1, 1, 0, 1)],
        requests=[Ask((("exactly", -5),))],
    )

    assert decision.setpoint_kw == 0
    assert decision.failures == ("state-of-charge limits",)


def test_a_stale_value_counts_as_unknown():
    image = ProcessImage(lifetime=timedelta(minutes=1))
    image.measure_soc(0.5, NOW - timedelta(minutes=2))

    assert image.swap(NOW, MINUTES).soc.value_or(-1) == -1


def test_bounds_remember_who_set_them():
    interval = PowerInterval.between(-5, 5, "nameplate").at_most(3, "grid").at_most(4, "rule")

    assert (interval.upper.power_kw, interval.upper.by) == (3, "grid")
    assert interval.lower.by == "nameplate"


@pytest.mark.parametrize("ends", [(1, 0), (float("nan"), 1), (0, float("inf"))])
def test_refuses_an_interval_that_is_none(ends):
    with pytest.raises(ValueError, match="must not be above"):
        PowerInterval.between(*ends, "nobody")


def test_a_request_for_no_number_rests_the_battery():
    decision = decide(
        snapshot(),
        nameplate=PowerInterval.between(-5, 5, "nameplate"),
        limits=[],
        requests=[Ask((("exactly", float("nan")),))],
    )

    assert (decision.setpoint_kw, decision.failures) == (0, ("ask",))
