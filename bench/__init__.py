"""Benchmarks. `python -m bench` starts its own servers. For comparison, it also measures bare SQL in the same run."""
