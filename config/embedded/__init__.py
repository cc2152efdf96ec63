"""The embedded stack: a real PostgreSQL, a broker, web, worker and beat for `make run`, and servers for the tests."""
