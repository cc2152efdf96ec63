"""No function has the same decorator twice.

A repeated decorator usually means that an edit took the decorator away from a neighboring function.
"""

import ast
from collections.abc import Iterable

from tests.architecture.sources import CODE, Source, project_sources


def find_repeated(sources: Iterable[Source]) -> list[str]:
    return [
        f"{source.path}: {node.name}"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and len({ast.unparse(one) for one in node.decorator_list}) < len(node.decorator_list)
    ]


def test_no_function_has_the_same_decorator_twice() -> None:
    assert find_repeated(project_sources(*CODE, "tests")) == []


def test_control_a_repeated_decorator_is_caught() -> None:
    source = Source("drives/x.py", "@transaction.atomic\n@transaction.atomic\ndef extend() -> None: ...\n")
    assert find_repeated([source]) == ["drives/x.py: extend"]
