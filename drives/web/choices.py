"""Read the button or option that a visitor chose."""

from collections.abc import Collection

from django.core.exceptions import BadRequest
from django.http import HttpRequest


def read_choice(request: HttpRequest, name: str, choices: Collection[str], default: str | None = None) -> str:
    """Return the posted value, or `default` if the form has no such field.

    Raises BadRequest for any other value. The error page says that nothing was changed.
    """
    value = request.POST.get(name, default)
    if value is None or value not in choices:
        raise BadRequest(f"unknown value of {name}")
    return value
