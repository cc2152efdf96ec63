"""Find the project's files in which a local variable contains a given value."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from django.http import QueryDict

ROOT = Path(__file__).parent.parent
PACKAGES = ("config", "drives", "volunteers", "notifications", "organizations")
_FOLDERS = tuple(f"{ROOT / package}/" for package in PACKAGES)
_DEEPEST = 4  # levels of dicts, lists and objects that are searched


def files_with(is_wanted: Callable[[object], bool], run: Callable[[], object]) -> dict[str, set[str]]:
    """Call `run`. Return the files, each with its functions, in which a local variable had a wanted value.

    A value inside a dict, a list or an object of this project also counts. A value inside the submitted form does not
    count, because every view has the form. Functions in threads that `run` starts also count.
    """
    found: dict[str, set[str]] = {}

    def see(frame: FrameType, event: str, _argument: object) -> None:
        path = frame.f_code.co_filename
        if event in {"call", "return"} and path.startswith(_FOLDERS) and _holds(frame.f_locals, is_wanted):
            found.setdefault(str(Path(path).relative_to(ROOT)), set()).add(frame.f_code.co_name)

    threading.setprofile(see)
    sys.setprofile(see)
    try:
        run()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return found


def _holds(values: Mapping[str, object], is_wanted: Callable[[object], bool]) -> bool:
    return any(is_wanted(value) for value in _within(dict(values), 0))


def _within(value: Any, depth: int) -> Iterator[object]:
    yield value
    if depth == _DEEPEST or isinstance(value, QueryDict):
        return
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        inner = list(value)
    elif type(value).__module__.split(".")[0] in PACKAGES and hasattr(value, "__dict__"):
        inner = list(vars(value).values())
    else:
        return
    for each in inner:
        yield from _within(each, depth + 1)
