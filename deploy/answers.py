"""Tell by the exit code whether a database, a Redis and an MQTT broker answer at three URLs."""

import sys
import threading
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import psycopg
import redis


def main(database: str, cache: str, broker: str) -> int:
    try:
        with psycopg.connect(database, connect_timeout=3) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
        if not row or not row[0]:
            print(f"{database}: this role may not create the test database")
            return 1
        redis.Redis.from_url(cache, socket_timeout=3).ping()
    except (psycopg.Error, redis.RedisError) as error:
        print(error)
        return 1
    connected = threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: connected.set()
    address = urlsplit(broker)
    try:
        client.connect(address.hostname or "127.0.0.1", address.port or 1883)
    except OSError as error:
        print(f"{broker}: {error}")
        return 1
    client.loop_start()
    answered = connected.wait(3)
    client.disconnect()
    client.loop_stop()
    return 0 if answered else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
