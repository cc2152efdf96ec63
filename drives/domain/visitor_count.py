"""Estimate how many visitors a link had, from one bit per visitor (linear counting).

A visitor's bit depends on a keyed hash, and many visitors share each bit. So a second visit by the same visitor changes
nothing, and the bits do not identify a visitor.
"""

import math

BITS = 4096


def build_empty_field() -> bytes:
    return bytes(BITS // 8)


def choose_bit(digest: bytes) -> int:
    return int.from_bytes(digest[:4], "big") % BITS


def estimate_visitors(field: bytes) -> int:
    zeros = BITS - sum(byte.bit_count() for byte in field)
    return round(-BITS * math.log(max(zeros, 1) / BITS))
