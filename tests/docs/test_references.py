"""Links, paths and names in the documentation refer to something that exists."""

import importlib
import re
from functools import cache

import pytest

from tests.architecture.sources import CODE, ROOT, Source

PACKAGES = (*CODE, "tests")
SUFFIXES = (".py", ".sql", ".md", ".html", ".toml", ".yaml", ".txt", ".json", ".png")


def load_pages() -> list[Source]:
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]


@cache
def list_project_paths() -> frozenset[str]:
    """List the project's files and folders. Folders end in a slash."""
    found = [*ROOT.iterdir(), *(path for folder in (*PACKAGES, "docs") for path in (ROOT / folder).rglob("*"))]
    return frozenset(path.relative_to(ROOT).as_posix() + ("/" if path.is_dir() else "") for path in found)


def list_broken_links(page: Source) -> list[str]:
    links = re.findall(r"\]\(([^)#\s]+)", page.text)
    folder = (ROOT / page.path).parent
    return [link for link in links if "://" not in link and not (folder / link).exists()]


def list_code_words(page: Source) -> list[str]:
    """List the words in backticks, except those in code blocks."""
    text = re.sub(r"```.*?```", "", page.text, flags=re.DOTALL)
    return re.findall(r"`([^`\s]+)`", text)


def is_path(word: str, page: Source) -> bool:
    """Return whether a word is a path of a file or folder, and not a URL, a pattern or an API call such as `move/`."""
    if word.startswith(("/", ".")) or not re.fullmatch(r"[\w./-]+", word):
        return False
    is_file = word.endswith(SUFFIXES)
    return (
        is_file or (word.endswith("/") and page.path != "docs/api/README.md") or word.startswith(("drives/", "tests/"))
    )


def list_missing_paths(page: Source) -> list[str]:
    """List the paths that a page names but that do not exist.

    A path is relative to the root. A path that does not start with a package may be relative to any folder.
    """
    known = list_project_paths()
    words = [word for word in list_code_words(page) if is_path(word, page)]
    return [word for word in words if not ({word, f"{word}/"} & known or ends_a_path(word))]


def ends_a_path(word: str) -> bool:
    if word.partition("/")[0] in PACKAGES:
        return False
    return any(path.endswith((f"/{word}", f"/{word}/")) for path in list_project_paths())


def list_unknown_names(page: Source) -> list[str]:
    names = [word.removesuffix("()") for word in list_code_words(page)]
    dotted = [name for name in names if re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)+", name)]
    return [name for name in dotted if not resolves(name) and not (ROOT / name).exists()]


def resolves(name: str) -> bool:
    """Return whether the dotted name is a module, or an attribute of a module or class."""
    module, _, attribute = name.rpartition(".")
    try:
        importlib.import_module(name)
    except ImportError:
        if "." not in module:
            return hasattr(importlib.import_module(module), attribute)
        parent = find(module)
        return parent is not None and hasattr(parent, attribute)
    return True


def find(name: str) -> object | None:
    """Return the module or class with this dotted name, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        module, _, attribute = name.rpartition(".")
        return getattr(find(module), attribute, None) if module else None


PAGES = pytest.mark.parametrize("page", load_pages(), ids=lambda page: page.path)


@PAGES
def test_relative_links_lead_to_a_file(page: Source) -> None:
    assert list_broken_links(page) == []


@PAGES
def test_paths_exist(page: Source) -> None:
    assert list_missing_paths(page) == []


@PAGES
def test_names_exist(page: Source) -> None:
    assert list_unknown_names(page) == []


def test_control_a_broken_link_is_caught() -> None:
    page = Source("docs/x.md", "[here](architecture.md), [there](gone.md#part), [away](https://example.org/gone)")
    assert list_broken_links(page) == ["gone.md"]


def test_control_a_missing_path_is_caught() -> None:
    page = Source(
        "docs/x.md", "`drives/booking/hold.py`, `hold.py`, `booking/`, `drives/gone.py`, `gone.sql`, `gone/`, `/b/x/`"
    )
    assert list_missing_paths(page) == ["drives/gone.py", "gone.sql", "gone/"]


def test_control_an_unknown_name_is_caught() -> None:
    page = Source(
        "docs/x.md",
        "`drives.booking.hold`, `drives.models.Slot`, `drives.booking.x`, `drives.models.Gone`, `drives.gone.Slot.x`",
    )
    assert list_unknown_names(page) == ["drives.booking.x", "drives.models.Gone", "drives.gone.Slot.x"]
