"""Benchmarks. `python -m bench` starts its own servers and also measures bare SQL in the same run for comparison."""
