"""`manage.py simulate_devices`: hundreds of batteries in one process, over real HTTP and MQTT."""

import asyncio
import contextlib
import random
import signal
from argparse import ArgumentParser
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from devices import wire
from devices.edge.agent import Agent
from devices.edge.cloud import EdgeStore, HttpCloud, MqttCloud
from devices.edge.core import Clock
from devices.edge.runner import run_agents
from devices.edge.simulator import BatteryModel, SiteLoad
from devices.models import Device, Transport
from devices.services.simulation import SimulatedDevice, prepare_simulated_devices
from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Site
from energyopti.foundation import clock

# What one server on a small machine takes beside its pages; more batteries poll less often each.
POLLS_PER_SECOND = 100
CONNECTIONS_PER_SECOND = 100
TRANSPORTS = {
    "http": ["http"],
    "mqtt": ["mqtt"],
    "both": ["http", "mqtt"],
}


class ProductClock:
    """The product's clock, for what knows none: the wall's, or the demo's accelerated one."""

    def now(self) -> datetime:
        return clock.now()


class Command(BaseCommand):
    help = "Run simulated batteries that fetch schedules, execute, acknowledge and report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, required=True, help="How many batteries.")
        parser.add_argument("--transport", choices=TRANSPORTS, default="both")
        parser.add_argument("--organization", help="Slug; default: every organization with sites.")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="Address of the server.")
        parser.add_argument(
            "--state-dir",
            type=Path,
            default=Path(settings.BASE_DIR) / "var" / "simulated-devices",
            help="Where the batteries keep tokens, schedules and unconfirmed messages.",
        )
        parser.add_argument(
            "--poll-seconds",
            type=float,
            default=3.0,
            help=f"More where that would be over {POLLS_PER_SECOND} polls a second in all.",
        )
        parser.add_argument("--tick-seconds", type=float, default=0.25)
        parser.add_argument("--seed", type=int, default=7)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["count"] <= 20_000:
            raise CommandError("--count: give a number from 1 to 20000.")
        sites = Site.objects.filter(organization__is_active=True).order_by("name", "pk")
        if options["organization"]:
            sites = sites.filter(organization__slug=options["organization"])
        if not sites:
            raise CommandError("There is no site to put devices at; create one first.")
        folder: Path = options["state_dir"]
        folder.mkdir(parents=True, exist_ok=True)
        now = clock.now()
        prepared = prepare_simulated_devices(
            actor=Actor.system("simulate_devices"),
            sites=list(sites),
            count=options["count"],
            transports=[Transport(name) for name in TRANSPORTS[options["transport"]]],
            token_file=folder / "tokens.json",
            prepared_at=now,
        )
        self.stdout.write(f"{len(prepared)} batteries, state in {folder}")
        asyncio.run(_live(prepared, folder, options, now))


def model_of(device: Device) -> BatteryModel:
    return BatteryModel(
        capacity_kwh=float(device.capacity_kwh),
        max_charge_kw=float(device.max_charge_kw),
        max_discharge_kw=float(device.max_discharge_kw),
        charge_efficiency=float(device.charge_efficiency),
        discharge_efficiency=float(device.discharge_efficiency),
        min_soc=float(device.min_soc),
        max_soc=float(device.max_soc),
    )


async def _live(
    prepared: list[SimulatedDevice], folder: Path, options: dict[str, Any], now: datetime
) -> None:
    store = EdgeStore(folder / "edge.sqlite3")
    edge_clock = ProductClock()
    dice = random.Random(options["seed"])  # noqa: S311 - sizes of simulated loads, no secret
    limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
    async with httpx.AsyncClient(base_url=options["url"], timeout=30, limits=limits) as client:
        agents: list[Agent] = []
        conversations: list[Callable[[], Coroutine[Any, Any, None]]] = []
        for simulated in prepared:
            device = simulated.device
            agent = Agent.restore(
                device.pk,
                model_of(device),
                SiteLoad(float(device.max_charge_kw) * (0.4 + 0.4 * dice.random()), dice.random()),
                store,
                started_at=now,
                soc=0.3 + 0.4 * dice.random(),
            )
            agents.append(agent)
            conversations.append(
                _conversation(simulated, agent, store, client, options, edge_clock)
            )
        store.commit()
        running = asyncio.create_task(
            run_agents(
                agents,
                conversations,
                store,
                clock=edge_clock,
                tick_seconds=options["tick_seconds"],
            )
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await running
    store.close()


def _conversation(
    simulated: SimulatedDevice,
    agent: Agent,
    store: EdgeStore,
    client: httpx.AsyncClient,
    options: dict[str, Any],
    edge_clock: Clock,
) -> Callable[[], Coroutine[Any, Any, None]]:
    def on_schedule(schedule: wire.Schedule) -> None:
        # Until now it lived by the old orders; else one could be told missed and then be executed.
        now = edge_clock.now()
        agent.advance(now)
        agent.accept(schedule, received_at=now)

    device = simulated.device
    if device.transport == Transport.MQTT:
        return MqttCloud(
            device.pk,
            store,
            settings.MQTT_URL,
            settings.MQTT_TOPIC_ROOT,
            on_schedule=on_schedule,
            spread_seconds=max(2.0, options["count"] / CONNECTIONS_PER_SECOND),
        ).run
    return HttpCloud(
        device.pk,
        simulated.token,
        store,
        client,
        on_schedule=on_schedule,
        poll_seconds=max(options["poll_seconds"], options["count"] / POLLS_PER_SECOND),
    ).run
