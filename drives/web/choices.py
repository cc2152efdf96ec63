"""Read which button or option a visitor chose."""

from collections.abc import Collection

from django.core.exceptions import BadRequest
from django.http import HttpRequest


def read_choice(request: HttpRequest, name: str, choices: Collection[str], default: str | None = None) -> str:
    """Return the posted value, or `default` if the form has no such field.

    Any other value raises BadRequest. The visitor then sees a page that says that nothing was changed.
    """
    value = request.POST.get(name, default)
    if value is None or value not in choices:
        raise BadRequest(f"unknown value of {name}")
    return value
