"""Benchmarks. `python -m bench` starts its own servers. For comparison, it also measures plain SQL."""
