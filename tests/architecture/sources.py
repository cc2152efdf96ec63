"""Read the project's files for the architecture tests.

Each check takes its sources as an argument, so that a control can pass a source with a deliberate violation.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("organizations", "notifications", "volunteers", "drives")
CODE = (*APPS, "config", "bench")


@dataclass(frozen=True)
class Source:
    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).with_suffix("").parts

    @property
    def module(self) -> str:
        return ".".join(self.parts).removesuffix(".__init__")


@cache
def project_sources(*folders: str, ending: str = "py") -> tuple[Source, ...]:
    """List the files in these folders that end in this extension, except migrations."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text())
        for folder in folders
        for path in sorted((ROOT / folder).rglob(f"*.{ending}"))
        if "migrations" not in path.parts
    )


def imported_names(source: Source) -> Iterator[str]:
    """Yield the full names of a module's imports, including those inside functions."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used_names(source: Source) -> Iterator[tuple[str, ast.AST, int]]:
    """Yield each name that a module uses, in full, with its node and its line.

    After `from datetime import datetime as dt`, the full name of `dt.now` is `datetime.datetime.now`.
    """
    local = _imports_by_local_name(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute) and (dotted := _dotted(node)):
            first, _, rest = dotted.partition(".")
            yield f"{local.get(first, first)}.{rest}".rstrip("."), node, node.lineno


def inside(path: str, homes: Iterable[str]) -> bool:
    """Return whether the path is one of `homes` or inside one. `homes` are modules or folders, without an extension."""
    return any(path == f"{home}.py" or path.startswith(f"{home}/") for home in homes)


def _imports_by_local_name(tree: ast.Module) -> dict[str, str]:
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value)):
        return f"{owner}.{node.attr}"
    return None
