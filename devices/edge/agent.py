"""One battery's program: it executes its schedule within its limits and tells what it did."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec import UNSET

from devices import wire
from devices.edge.cloud import EdgeStore
from devices.edge.control import ScheduleFollower, entry_at
from devices.edge.core import ProcessImage
from devices.edge.safety import (
    Decision,
    EmergencyStop,
    PowerInterval,
    PowerLimits,
    SocLimits,
    decide,
)
from devices.edge.simulator import BatteryModel, BatteryTwin, SiteLoad
from devices.wire import InstructionStatus, ReceptionStatusValue

SAMPLE = timedelta(minutes=5)
BATCH = timedelta(minutes=30)
_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RunningCommand(msgspec.Struct):
    """An order in execution, with the meter's counters at its start."""

    command_id: UUID
    start: datetime
    end: datetime
    import_wh: int
    export_wh: int
    stopped_by: str = ""


class AgentState(msgspec.Struct):
    """All that survives a restart, besides the schedule and the outbox."""

    at: datetime
    soc: float
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    consumption_kwh: float = 0.0
    running: RunningCommand | None = None
    sampled_at: datetime | None = None
    samples: list[tuple[float, float, int, int, int]] = []
    passed_kwh: float = 0.0  # net energy since the sample before, > 0 discharged
    fault: str = ""


@dataclass
class Agent:
    """
    A battery and its controller, advanced through time by whoever holds the clock.

    Acknowledgements and telemetry go into the store; `accept` takes schedules in. Nothing here
    waits, sleeps or speaks to a network.
    """

    device_id: UUID
    model: BatteryModel
    load: SiteLoad
    store: EdgeStore
    state: AgentState
    schedule: wire.Schedule | None = None
    emergency_stop: bool = False
    last_decision: Decision | None = None
    _image: ProcessImage = field(default_factory=lambda: ProcessImage(lifetime=2 * SAMPLE))

    def __post_init__(self) -> None:
        model = self.model
        self.twin = BatteryTwin(model, self.state.soc, self.state.import_kwh, self.state.export_kwh)
        self._follower = ScheduleFollower(model, self.schedule)
        self._nameplate = PowerInterval.between(
            -model.max_charge_kw, model.max_discharge_kw, "nameplate"
        )
        self._limits = (
            EmergencyStop(),
            PowerLimits(model.max_charge_kw, model.max_discharge_kw),
            SocLimits(
                model.capacity_kwh,
                model.charge_efficiency,
                model.discharge_efficiency,
                model.min_soc,
                model.max_soc,
            ),
        )

    @classmethod
    def restore(
        cls,
        device_id: UUID,
        model: BatteryModel,
        load: SiteLoad,
        store: EdgeStore,
        *,
        started_at: datetime,
        soc: float = 0.5,
    ) -> "Agent":
        """Return the battery as the store remembers it; a new one starts with `soc`."""
        held, document = store.state_of(device_id), store.schedule_of(device_id)
        state = (
            msgspec.json.decode(held, type=AgentState)
            if held is not None
            else AgentState(at=started_at, soc=soc)
        )
        schedule = None if document is None else wire.parse(document, wire.Schedule)
        agent = cls(device_id, model, load, store, state, schedule)
        if held is not None and started_at > state.at:
            agent._advance(started_at, controlled=False)
        return agent

    def accept(self, schedule: wire.Schedule, *, received_at: datetime) -> None:
        """Take a schedule in, keep it, and say so; what it cannot do it rejects by order."""
        current = self.schedule
        if (
            current is not None
            and current.schedule_id == schedule.schedule_id
            and schedule.version < current.version
        ):
            return  # an old document that was under way; the newer one has been received
        status, reason = ReceptionStatusValue.OK, ""
        if schedule.device_id != self.device_id:
            status, reason = ReceptionStatusValue.INVALID_CONTENT, "another device's schedule"
        else:
            self._answer_impossible(schedule, received_at)
            self.schedule = self._follower.schedule = schedule
            self.store.keep_schedule(self.device_id, wire.render(schedule))
        reception = wire.ReceptionStatus(
            device_id=self.device_id,
            schedule_id=schedule.schedule_id,
            version=schedule.version,
            status=status,
            reported_at=received_at,
            reason=reason or UNSET,
        )
        self.store.put(self.device_id, "acks", reception.key, wire.render(reception))
        self.store.commit()

    def _answer_impossible(self, schedule: wire.Schedule, at: datetime) -> None:
        """Answer at once for new orders that are over, or beyond the nameplate."""
        known = (
            {wire.command_of(self.schedule, e) for e in self.schedule.entries}
            if (self.schedule)
            else set()
        )
        for entry in schedule.entries:
            command = wire.command_of(schedule, entry)
            if command in known:
                continue
            if entry.end_time <= at:
                self._tell_missed(command, at, "it came when its time was over")
                continue
            limit = (
                self.model.max_discharge_kw
                if entry.mode is wire.Mode.DISCHARGE
                else self.model.max_charge_kw
            )
            if entry.rate_kw > limit + 1e-9:
                self._tell(
                    command,
                    1,
                    InstructionStatus.REJECTED,
                    at,
                    reason=f"{entry.rate_kw} kW is beyond the nameplate of {limit} kW",
                )

    def _report_missed(
        self, entries: tuple[wire.ScheduleEntry, ...], start: datetime, end: datetime, reason: str
    ) -> None:
        """Answer for orders whose whole time passed within [start, end) without a controller."""
        if self.schedule is None or self.schedule.is_cancelled:
            return
        running = None if self.state.running is None else self.state.running.command_id
        for entry in entries:
            command = wire.command_of(self.schedule, entry)
            if start <= entry.start_time and entry.end_time <= end and command != running:
                self._tell_missed(command, end, reason)

    def _tell_missed(self, command: UUID, at: datetime, reason: str) -> None:
        aborted = InstructionStatus.ABORTED
        self._tell(command, 2, aborted, at, reason=reason, energy_kwh=Decimal(0))

    def advance(self, to: datetime) -> None:
        """
        Live from the state's time to `to`, exactly: steps end where orders and samples do.

        The caller commits the store.
        """
        self._advance(to, controlled=True)

    def _advance(self, to: datetime, *, controlled: bool) -> None:
        state = self.state
        if to <= state.at:
            return
        if not controlled and self.schedule is not None:
            self._report_missed(self.schedule.entries, state.at, to, "the controller was off")
        while state.at < to:
            entry = self._executable(state.at) if controlled else None
            self._settle_commands(entry, controlled=controlled)
            end = min(to, _next_multiple(state.at, SAMPLE), self._next_edge(state.at))
            self._step(end, controlled=controlled)
        self._settle_commands(
            self._executable(state.at) if controlled else None, controlled=controlled
        )
        self._save()

    def _executable(self, at: datetime) -> wire.ScheduleEntry | None:
        entry = entry_at(self.schedule, at)
        if entry is None:
            return None
        is_charge = entry.mode is wire.Mode.CHARGE
        limit = self.model.max_charge_kw if is_charge else self.model.max_discharge_kw
        return entry if entry.rate_kw <= limit + 1e-9 else None

    def _next_edge(self, at: datetime) -> datetime:
        """Return the next instant at which an entry starts or ends."""
        far = at + SAMPLE
        if self.schedule is None:
            return far
        entry = entry_at(self.schedule, at)
        if entry is not None:
            return entry.end_time
        starts = (e.start_time for e in self.schedule.entries if at < e.start_time < far)
        return min(starts, default=far)

    def _step(self, end: datetime, *, controlled: bool) -> None:
        state, twin = self.state, self.twin
        hours = (end - state.at) / _HOUR
        power = 0.0
        if controlled:
            self._image.measure_soc(twin.soc, state.at)
            self._image.measure_emergency_stop(self.emergency_stop, state.at)
            snapshot = self._image.swap(state.at, end - state.at)
            self.last_decision = decide(
                snapshot,
                nameplate=self._nameplate,
                limits=self._limits,
                requests=(self._follower,) if self._executable(state.at) else (),
            )
            power = self.last_decision.setpoint_kw
            self._note_interference(self.last_decision)
        power = twin.run(power, hours)
        state.consumption_kwh += self.load.power_kw(state.at + (end - state.at) / 2) * hours
        state.passed_kwh += power * hours
        state.at = end
        if end == _next_multiple(end - timedelta(microseconds=1), SAMPLE):
            self._sample(end)

    def _note_interference(self, decision: Decision) -> None:
        running = self.state.running
        if decision.failures:
            self.state.fault = ", ".join(decision.failures) + " failed"
        elif self.emergency_stop:
            self.state.fault = "emergency stop"
        else:
            self.state.fault = ""
        if running is not None and self.state.fault:
            running.stopped_by = self.state.fault

    def _settle_commands(self, entry: wire.ScheduleEntry | None, *, controlled: bool) -> None:
        """End the order that is over, start the one that begins."""
        state = self.state
        command = None
        if entry is not None and self.schedule is not None:
            command = wire.command_of(self.schedule, entry)
        running = state.running
        is_over = running is not None and state.at >= running.end
        is_replaced = running is not None and controlled and running.command_id != command
        if running is not None and (is_over or is_replaced):
            self._end_command(running, controlled=controlled)
            state.running = running = None
        if running is None and entry is not None and command is not None:
            state.running = RunningCommand(
                command, state.at, entry.end_time, self.twin.import_wh, self.twin.export_wh
            )
            self._tell(command, 1, InstructionStatus.STARTED, state.at)

    def _end_command(self, running: RunningCommand, *, controlled: bool) -> None:
        passed_wh = (
            self.twin.import_wh - running.import_wh + self.twin.export_wh - running.export_wh
        )
        status, reason = InstructionStatus.SUCCEEDED, ""
        if running.stopped_by:
            status, reason = InstructionStatus.ABORTED, running.stopped_by
        elif not controlled:
            status, reason = InstructionStatus.ABORTED, "the controller was off"
        elif self.state.at < running.end:
            status, reason = InstructionStatus.REVOKED, "replaced by a newer schedule"
        self._tell(
            running.command_id,
            2,
            status,
            self.state.at,
            reason=reason,
            energy_kwh=Decimal(passed_wh) / 1000,
        )

    def _tell(
        self,
        command_id: UUID,
        sequence: int,
        status: InstructionStatus,
        at: datetime,
        *,
        reason: str = "",
        energy_kwh: Decimal | None = None,
    ) -> None:
        update = wire.InstructionStatusUpdate(
            device_id=self.device_id,
            command_id=command_id,
            sequence=sequence,
            status=status,
            reported_at=at,
            reason=reason or UNSET,
            energy_kwh=UNSET if energy_kwh is None else energy_kwh,
        )
        self.store.put(self.device_id, "acks", update.key, wire.render(update))

    def _sample(self, at: datetime) -> None:
        """Add a sample; every half-hour on the clock they leave as one batch."""
        state, twin = self.state, self.twin
        if state.sampled_at is not None and at - state.sampled_at != SAMPLE:
            self._flush_samples()
        state.sampled_at = at
        state.samples.append(
            (
                round(min(1.0, max(0.0, twin.soc)), 6),
                round(state.passed_kwh / (SAMPLE / _HOUR), 6),
                twin.import_wh,
                twin.export_wh,
                int(state.consumption_kwh * 1000 + 1e-6),
            )
        )
        state.passed_kwh = 0.0
        if at == _next_multiple(at - timedelta(microseconds=1), BATCH):
            self._flush_samples()

    def _flush_samples(self) -> None:
        state = self.state
        if not state.samples or state.sampled_at is None:
            return
        soc, power, imported, exported, consumed = zip(*state.samples, strict=True)
        is_running = state.running is not None
        batch = wire.TelemetryBatch(
            device_id=self.device_id,
            start=state.sampled_at - SAMPLE * (len(state.samples) - 1),
            interval_seconds=int(SAMPLE.total_seconds()),
            soc=soc,
            power_kw=power,
            import_wh=imported,
            export_wh=exported,
            consumption_wh=consumed,
            state=wire.DeviceState.ERROR
            if state.fault
            else wire.DeviceState.RUNNING
            if is_running
            else wire.DeviceState.IDLE,
            fault=state.fault or UNSET,
        )
        self.store.put(self.device_id, "telemetry", batch.key, wire.render(batch))
        state.samples = []

    def _save(self) -> None:
        state, twin = self.state, self.twin
        state.soc, state.import_kwh, state.export_kwh = twin.soc, twin.import_kwh, twin.export_kwh
        self.store.keep_state(self.device_id, msgspec.json.encode(state))


def _next_multiple(at: datetime, step: timedelta) -> datetime:
    """Return the first instant after `at` on the grid of steps since 1970 in UTC."""
    return _EPOCH + ((at - _EPOCH) // step + 1) * step
