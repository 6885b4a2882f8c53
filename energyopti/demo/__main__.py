"""
`make demo`: the whole product on this machine, from servers to simulated batteries.

Without arguments it runs until Ctrl-C; `--headless` runs one simulated day as fast as it can,
prints what happened and fails on the first sum that does not add up.
"""
# ruff: noqa: T201  (a program of the command line prints)

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from energyopti.demo.processes import ProcessFailed, Supervisor
from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.servers import Servers, start_servers
from energyopti.foundation.course import Course

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "energy-demo-2026"  # noqa: S105  (of the demo's own people, on this machine only)


def main(arguments: Sequence[str]) -> int:
    """Return 0 after Ctrl-C or a day that adds up, 1 with a sentence otherwise."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--headless", action="store_true", help="one simulated day, then a summary")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--devices", type=int, default=24, help="simulated batteries")
    parser.add_argument("--speed", type=float, help="simulated seconds a second")
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="where its data live")
    chosen = parser.parse_args(arguments)
    state = chosen.state.absolute()
    if chosen.headless:
        state = state / "headless"
        chosen.port = free_port()
    speed = chosen.speed or (1500 if chosen.headless else 60)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        require_free_port(chosen.port)
        with start_servers(state, durable=True, environ=os.environ) as servers:
            return run(servers, state=state, speed=speed, chosen=chosen)
    except (ServerUnavailable, ProcessFailed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0


def run(servers: Servers, *, state: Path, speed: float, chosen: argparse.Namespace) -> int:
    clock = Clock(state / "course.json", speed=speed, fresh=chosen.headless)
    base_url = f"http://127.0.0.1:{chosen.port}"
    environment = {
        **os.environ,
        **servers.environment,
        **clock.environment,
        "DJANGO_SETTINGS_MODULE": "energyopti.settings.local",
        "EOP_STATE_DIR": str(state),
        "PYTHONUNBUFFERED": "1",
        "DEMO_PASSWORD": PASSWORD,
        "DEMO_BASE_URL": base_url,
        "DEMO_DEVICES": str(chosen.devices),
        **compiled_modules(os.environ, state),
    }
    supervisor = Supervisor(environment=environment, log_dir=state / "log", root=ROOT, report=say)
    stopping = threading.Event()

    def keep_servers() -> None:
        try:
            servers.supervise(stopping, revived)
        except ServerUnavailable as error:
            supervisor.failure = str(error)

    reviver = threading.Thread(target=keep_servers, name="reviver", daemon=True)
    reviver.start()
    try:
        say("Migrating")
        supervisor.run_once("migrate", ["manage.py", "migrate", "--no-input", "--skip-checks"])
        say("Seeding markets, people, contracts and devices (the first time takes a minute)")
        supervisor.run_once("seed", ["-m", "energyopti.demo.seed"])
        # The owner's URL was for `migrate` alone: what runs from here on may not rewrite facts.
        supervisor.environment.pop("DATABASE_OWNER_URL", None)
        start_processes(supervisor, port=chosen.port)
        if not chosen.headless:
            print(
                WELCOME.format(url=base_url, password=PASSWORD, speed=speed, log=supervisor.log_dir)
            )
        say("Booking one of each product for the structuring desk")
        supervisor.run_once("structuring", ["-m", "energyopti.demo.structuring"])
        if chosen.headless:
            supervisor.run_shown("day", ["-m", "energyopti.demo.day"])
            return 0
        clock.start()
        while not supervisor.failure:
            stopping.wait(1)
            clock.save()
        raise ProcessFailed(supervisor.failure)
    finally:
        clock.save()
        supervisor.stop()
        stopping.set()
        reviver.join()


def compiled_modules(environ: Mapping[str, str], state: Path) -> dict[str, str]:
    """
    Return variables that let the processes keep their compiled modules in `state`.

    Where PYTHONDONTWRITEBYTECODE is set (containers) each of eight processes would compile some
    2,200 modules at every start, which is more than half of its work. The wish behind the
    variable, nothing written beside the sources, is kept.
    """
    if not environ.get("PYTHONDONTWRITEBYTECODE"):
        return {}
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(state / "compiled")}


def start_processes(supervisor: Supervisor, *, port: int) -> None:
    """Start the product's processes: the pages first, the batteries that talk to all of it last."""
    manage = "manage.py"
    supervisor.start(
        "web",
        ["-m", "uvicorn", "energyopti.asgi:application", "--port", str(port), "--no-access-log"],
    )
    # Alone on the processor the pages are there in a third of the time.
    wait_for_port(port, supervisor)
    supervisor.start("followers", [manage, "run_followers"])
    supervisor.start("mqtt-bridge", [manage, "run_mqtt_bridge"])
    supervisor.start(
        "worker",
        ["-m", "celery", "-A", "energyopti.celery", "worker", "--concurrency=2", "--loglevel=INFO"],
    )
    supervisor.start("beat", [manage, "run_beat"])
    supervisor.start("market", ["-m", "energyopti.demo.market"])
    supervisor.start(
        "devices",
        [
            manage,
            "simulate_devices",
            f"--count={supervisor.environment['DEMO_DEVICES']}",
            "--transport=both",
            f"--url={supervisor.environment['DEMO_BASE_URL']}",
            f"--state-dir={supervisor.environment['EOP_STATE_DIR']}/devices",
            "--poll-seconds=0.5",
        ],
    )


class Clock:
    """
    The accelerated clock: goes on where the last run of the demo left it.

    It stands while the database is filled and the processes start, so that no day passes unlived,
    and runs from `start`; the day of `--headless` moves it on itself.
    """

    def __init__(self, path: Path, *, speed: float, fresh: bool) -> None:
        self.path = path
        self.speed = speed
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        anchor = midnight + timedelta(hours=9)
        if not fresh and path.exists():
            anchor = max(anchor, Course.read(path).anchor)
        path.parent.mkdir(parents=True, exist_ok=True)
        Course(datetime.now(UTC), anchor, until=anchor).write(path)

    @property
    def environment(self) -> dict[str, str]:
        """Return what tells the processes."""
        return {"CLOCK_SPEED": str(self.speed), "CLOCK_FILE": str(self.path)}

    def start(self) -> None:
        """Let it run."""
        self._go_on(None)

    def save(self) -> None:
        """Keep what it shows: the next run goes on from there."""
        self._go_on(Course.read(self.path).until)

    def _go_on(self, until: datetime | None) -> None:
        course = Course.read(self.path)
        course.going_on(datetime.now(UTC), self.speed, until).write(self.path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ProcessFailed(
                f"Port {port} is taken ({error.strerror}). Stop what listens there, or choose "
                f'another one: make demo ARGS="--port {port + 1}"'
            ) from error


def wait_for_port(port: int, supervisor: Supervisor, seconds: float = 60) -> None:
    waiting = threading.Event()
    for _ in range(int(seconds * 10)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if supervisor.failure:
            raise ProcessFailed(supervisor.failure)
        waiting.wait(0.1)
    raise ProcessFailed(f"The web server does not answer; its words: {supervisor.log_dir}/web.log")


def revived(name: str) -> None:
    say(f"{name} had died; started again on its port")


def say(sentence: str) -> None:
    print(f"· {sentence}", flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


WELCOME = """
EnergyOpti-Pro runs at {url}   (time runs {speed:g} times as fast as life)

  Sign in with the password {password} as
    trader@demo.example      Trader            enter a deal:   {url}/trades/new/
    structurer@demo.example  Trader            one of each:    {url}/trades/?book_code=STRUCTURED
    risk@demo.example        Risk Officer      watch it move:  {url}/risk/
    quant@demo.example       Risk Officer      test models:    {url}/model-validation/
    energy@demo.example      Energy Manager    the batteries:  {url}/fleet/
    operator@demo.example    Device Operator   one battery:    {url}/fleet/
    esg@demo.example         ESG Officer       carbon reports: {url}/esg/reports/
    compliance@demo.example  Compliance        every step:     {url}/audit/
    support@demo.example     Support Agent     tickets:        {url}/support/
    customer@demo.example    Energy Manager of a customer: its invoices only: {url}/billing/
    admin@demo.example       Admin             everything:     {url}/admin/

  Look at it: open /risk/ in one window, book “B 10MW DE base Cal27 @ 85.20” at /trades/new/ in
  another, and see position, mark-to-market and VaR move. REST is at {url}/api/docs/.
  Options: {url}/trades/?kind=OPTION; open one and see its value, Greeks
  beside bump-and-revalue and its hedge. As the trader, exercise the call that expires tonight
  (its page, button Exercise); the clock fixes the average tomorrow. Which formula values what:
  {url}/pricing-models/, how prices move (the time value of the storage) {url}/price-processes/;
  reference cases through the models: Risk → Model validation.
  One of each product is in the book STRUCTURED a minute after the start, and time runs from then
  on: as the structurer nominate swing, storage, plant and battery on their pages, exercise what
  is American today. Their neighbours France, gas and allowances: {url}/curves/.
  An order of an option is held against the book's VaR limit like any other: it is revalued in
  every scenario, and so is what the book holds ({url}/risk/).
  Logs of each process: {log}
  Ctrl-C stops everything that was started here.
"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
