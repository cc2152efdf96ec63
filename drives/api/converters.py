"""How ids stand in the API's addresses."""

from django.urls.converters import StringConverter


class IdConverter(StringConverter):
    """An opaque id that could be ours; anything else is not found."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value)
