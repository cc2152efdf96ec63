"""Inputs that once got a wrong answer, each with the right one. Tests send them as a donor or coordinator would."""

import json
from pathlib import Path
from typing import Any

import pytest

CASES: list[dict[str, Any]] = [
    case
    for name in ("replies-names-search.json", "replies.json")
    for case in json.loads(Path(__file__).with_name(name).read_text())
]


def list_cases(*kinds: str) -> list[Any]:
    """Return the cases whose kind is or begins with one of these, such as "K12 link" or "K2", as test parameters."""
    cases = [
        pytest.param(case, id=case["id"])
        for case in CASES
        if case["kind"].startswith(tuple(f"{kind} " for kind in kinds)) or case["kind"] in kinds
    ]
    assert cases, f"no case of {kinds}"
    return cases
