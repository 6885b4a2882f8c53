"""Real PostgreSQL, Valkey and MQTT servers started from wheels; see `servers.start_servers`."""
