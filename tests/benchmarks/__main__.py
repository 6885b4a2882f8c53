"""`make bench ARGS="--only NAME --json FILE"`: run benchmarks on servers of their own."""

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console

from energyopti.embedded.servers import start_servers


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="(repeatable)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and stop")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    # The database that DATABASE_URL names is never touched: benchmarks fill and empty tables.
    given = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_DIRECT_URL", "REDIS_URL"}
    }
    with start_servers(None, durable=True, environ=given | {"MQTT_URL": "unused"}) as servers:
        os.environ.update(servers.environment)
        os.environ.pop("DATABASE_DIRECT_URL", None)
        os.environ["DJANGO_SETTINGS_MODULE"] = "energyopti.settings.test"
        from tests.benchmarks import runner

        found = runner.discover()
        if options.list:
            console.print("\n".join(found))
            return 0
        if unknown := sorted(set(options.only or []) - set(found)):
            parser.error(f"no benchmark {', '.join(unknown)}; there are: {', '.join(found)}")
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        measured = []
        for name in options.only or found:
            console.print(f"running {name} …")
            bench = runner.Bench(name)
            found[name](bench)
            measured += bench.measurements
    runner.show(measured, console)
    if options.json:
        runner.write_json(measured, options.json)
    return 1 if any(m.is_met is False for m in measured) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
