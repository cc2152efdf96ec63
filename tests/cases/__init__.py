"""Inputs that the service once handled wrongly, each with the right result.

Tests send the inputs as a donor or coordinator would.
"""

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
    """Return the cases of these kinds as test parameters.

    A kind is given in full, such as "K12 link", or by its first word, such as "K2".
    """
    cases = [
        pytest.param(case, id=case["id"])
        for case in CASES
        if case["kind"].startswith(tuple(f"{kind} " for kind in kinds)) or case["kind"] in kinds
    ]
    assert cases, f"no case of {kinds}"
    return cases
