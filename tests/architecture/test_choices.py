"""Views do not compare posted values with `==` or `in`.

A comparison such as `== "yes"` would treat every unknown value as a no.
"""

import ast
from collections.abc import Iterable, Iterator

from tests.architecture.sources import Source, project_sources

ALLOWED = {"drives/account/views_consents.py"}  # the posted value (RFC 8058) only chooses the wording of the record


def find_compared_values(sources: Iterable[Source]) -> Iterator[str]:
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Compare) and any(map(_is_posted_value, (node.left, *node.comparators))):
                yield f"{source.path}:{node.lineno}"


def _is_posted_value(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value).endswith(".POST")
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".POST.get")


def test_no_view_compares_a_posted_value() -> None:
    found = find_compared_values(project_sources("organizations", "notifications", "volunteers", "drives"))
    assert [place for place in found if place.partition(":")[0] not in ALLOWED] == []


def test_control_a_compared_value_is_found() -> None:
    source = Source("a.py", 'stops = request.POST.get("decision") == "stop"\nturns = request.POST["turn"] != "on"')
    assert list(find_compared_values([source])) == ["a.py:1", "a.py:2"]
