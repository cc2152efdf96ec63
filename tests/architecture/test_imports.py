"""Our modules import each other as modules. They do not import single functions.

If a test replaces a function in its module, every caller then gets the replacement. Classes and constants may be
imported by name. A package's `__init__` may re-export what its modules define, but callers still name the package:
`from drives import queries`, then `queries.load_waitlist(...)`.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.architecture.sources import CODE, Source, project_sources

MAKERS_OF_FUNCTIONS = {"partial", "functools.partial", "itemgetter", "attrgetter", "methodcaller"}


@dataclass
class _Module:
    functions: set[str] = field(default_factory=set)
    passed_on: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # re-exports: local name to the original module and name
    same_as: dict[str, str] = field(default_factory=dict)


def function_imports(sources: Iterable[Source]) -> list[str]:
    """List the imports of our functions by name (`from x import f`), also through a package that re-exports them."""
    sources = list(sources)
    modules = {source.module: _read(source) for source in sources}
    return [
        f"{source.path}:{line} imports {module}.{name}"
        for source in sources
        for line, module, name in _imports(source)
        if not _passes_on(source, module) and _is_function(modules, module, name)
    ]


def _imports(source: Source) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in CODE:
            yield from ((node.lineno, node.module, alias.name) for alias in node.names)


def _passes_on(source: Source, module: str) -> bool:
    return source.parts[-1] == "__init__" and module.startswith(f"{source.module}.")


def _is_function(modules: dict[str, _Module], module: str, name: str, depth: int = 0) -> bool:
    found = modules.get(module)
    if found is None or depth > 9 or f"{module}.{name}" in modules:
        return False
    if name in found.functions:
        return True
    if name in found.passed_on:
        return _is_function(modules, *found.passed_on[name], depth + 1)
    return name in found.same_as and _is_function(modules, module, found.same_as[name], depth + 1)


def _read(source: Source) -> _Module:
    module = _Module()
    for node in _statements(source.tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            module.functions.add(node.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            module.passed_on |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            _read_assignment(module, node)
    return module


def _read_assignment(module: _Module, node: ast.Assign | ast.AnnAssign) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for name in [target.id for target in targets if isinstance(target, ast.Name)]:
        value = node.value
        is_made = isinstance(value, ast.Call) and ast.unparse(value.func) in MAKERS_OF_FUNCTIONS
        if isinstance(value, ast.Lambda) or is_made:
            module.functions.add(name)
        elif isinstance(value, ast.Name):
            module.same_as[name] = value.id


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, including those inside `if`, `try` and `with`."""
    for node in body:
        yield node
        for inner in ("body", "orelse", "finalbody") if isinstance(node, ast.If | ast.Try | ast.With) else ():
            yield from _statements(getattr(node, inner, ()))
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _statements(handler.body)


def test_modules_import_modules_not_functions() -> None:
    assert function_imports(project_sources(*CODE, "tests")) == []


SEEDED = [
    Source(
        "drives/queries/__init__.py",
        "from drives.queries.places import Room, line\nfrom drives.queries import places\n",
    ),
    Source(
        "drives/queries/places.py", "class Room: ...\ndef line(): ...\nLIMIT = 3\nshort = partial(line)\nalso = line\n"
    ),
    Source("drives/actions/locking.py", "@contextmanager\ndef held(): ...\nif True:\n    async def later(): ...\n"),
    Source("drives/actions/__init__.py", ""),
]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *(("drives.queries", "line"), ("drives.queries.places", "line"), ("drives.queries.places", "short")),
        *(("drives.queries.places", "also"), ("drives.actions.locking", "held"), ("drives.actions.locking", "later")),
    ],
)
@pytest.mark.parametrize("path", ["drives/booking/hold.py", "config/urls.py", "tests/drives/test_hold.py"])
def test_control_an_imported_function_is_caught(path: str, module: str, name: str) -> None:
    seeded = Source(path, f"import os\nfrom {module} import {name} as other\n")
    assert function_imports([*SEEDED, seeded]) == [f"{path}:2 imports {module}.{name}"]


@pytest.mark.parametrize(
    "text",
    [
        "from drives import queries",
        "from drives.queries import places",
        "from drives.queries import Room",
        "from drives.queries.places import LIMIT, Room",
        "from drives.actions import locking",
        "import drives.actions.locking",
        "from django.db.transaction import atomic",
        "from tests.builders import held",
    ],
)
def test_modules_classes_and_constants_may_be_imported(text: str) -> None:
    assert function_imports([*SEEDED, Source("drives/booking/hold.py", text)]) == []


def test_control_a_function_imported_inside_a_function_is_caught() -> None:
    text = "def hold():\n    from drives.queries import line\n    return line()\n"
    assert len(function_imports([*SEEDED, Source("drives/booking/hold.py", text)])) == 1
