"""The embedded stack: PostgreSQL, broker, web, worker and beat for `make run`, and the servers for tests."""
