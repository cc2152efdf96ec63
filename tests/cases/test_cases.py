"""A test uses each case in the case files."""

import re

from tests.architecture.sources import project_sources
from tests.cases import CASES, list_cases


def find_untried(text: str) -> list[str]:
    kinds = [kind for call in re.findall(r"list_cases\(([^)]+)\)", text) for kind in re.findall(r'"([^"]+)"', call)]
    tried = {param.id for kind in kinds for param in list_cases(kind)}
    return [case["id"] for case in CASES if case["id"] not in tried]


def test_every_case_is_tried() -> None:
    sources = [source for source in project_sources("tests") if not source.path.startswith("tests/cases/")]
    assert find_untried("\n".join(source.text for source in sources)) == []


def test_control_a_kind_that_no_test_lists_is_found() -> None:
    assert "k11-01" in find_untried('list_cases("K1", "K12 link")')
