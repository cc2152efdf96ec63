"""Django's PostgreSQL engine, with a cheaper look at the pool's connections."""
