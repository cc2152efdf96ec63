from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from drives.api.access import ApiView


class IdConverter(StringConverter):
    """An id in a URL. Text that cannot be an id leads to a 404."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value)


register_converter(IdConverter, "id")


def build_route(route: str, view: type[ApiView]) -> URLPattern:
    return path(route, view.as_view())
