"""The code uses no private attribute of a library, because a new version may remove it."""

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.architecture.sources import CODE, project_sources

# These names look private, but the documentation of Django (models) or Python (named tuples, os) makes them public.
DOCUMENTED = {"_meta", "_state", "_default_manager", "_base_manager", "_replace", "_exit"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def defined(trees: Iterable[ast.Module]) -> set[str]:
    found: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                case ast.Name(id=name, ctx=ast.Store()):
                    found.add(name)
                case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                    found.add(name)
                case ast.alias(name=name, asname=None):
                    found.add(name)
    return {name for name in found if is_private(name)}


def foreign(tree: ast.Module, ours: set[str]) -> Iterator[str]:
    """Yield private names of libraries in a module: attributes, imports and `getattr` names."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name):
                names = [name]
            case ast.ImportFrom(names=aliases, module=module):
                names = [*(module or "").split("."), *(alias.name for alias in aliases)]
            case ast.Import(names=aliases):
                names = [part for alias in aliases for part in alias.name.split(".")]
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr"), args=[_, ast.Constant(value=str(name)), *_]
            ):
                names = [name]
            case _:
                continue
        yield from (f"{node.lineno}: {name}" for name in names if is_private(name) and name not in ours | DOCUMENTED)


def test_no_private_attribute_of_a_library_is_used() -> None:
    sources = project_sources(*CODE)
    uses = {source.path: list(foreign(source.tree, defined([source.tree]))) for source in sources}
    assert {path: found for path, found in uses.items() if found} == {}


def test_tests_use_private_attributes_of_our_own_code_only() -> None:
    sources = project_sources(*CODE, "tests")
    ours = defined(source.tree for source in sources)
    uses = {source.path: list(foreign(source.tree, ours)) for source in sources}
    assert {path: found for path, found in uses.items() if found} == {}


@pytest.mark.parametrize(
    "line",
    [
        "driver._prepared",
        "self.pool._work_queue.empty()",
        "from psycopg._queries import PostgresQuery",
        "import psycopg._queries",
        "getattr(driver, '_prepared')",
        "cursor.connection._prepared._names",
        "driver._prepared = None",
    ],
)
def test_control_a_private_attribute_is_caught(line: str) -> None:
    assert list(foreign(ast.parse(line), defined([ast.parse("_ours = 1")])))


def test_our_own_private_names_are_allowed() -> None:
    tree = ast.parse(
        "class A:\n    def _mine(self): self._kept = 1\n\nother._mine()\nother._kept\nmodel._meta\na.__dict__"
    )
    assert list(foreign(tree, defined([tree]))) == []
