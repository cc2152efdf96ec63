"""Benchmarks: `python -m bench` starts its own servers and compares with bare SQL in the same run."""
