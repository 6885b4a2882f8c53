"""Apply events to a table without any constraint against doubles; fail now and then."""

import random

import django


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from energyopti.foundation.events.followers import register_follower
    from energyopti.foundation.events.models import Event

    def handle(event: Event) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO kill_applied (event_id, key, number) VALUES (%s, %s, %s)",
                [event.pk, event.key, event.payload["number"]],
            )
        if random.random() < 0.001:
            raise ValueError("fails sometimes, after its effect")

    register_follower("kill", handle, attempts=1000, retry_seconds=0.02)
    call_command("run_followers")


if __name__ == "__main__":
    main()
