"""Serializer fields with strict JSON types: text fields refuse numbers, and number fields refuse text."""

import re
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from notifications import contact_address as notifications_phone

_ID_PATTERN = re.compile(r"[0-9]{1,18}")


class TextField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.STR)
class IdField(TextField):
    """An id as a string. Text that cannot be an id becomes 0, which matches no row."""

    def to_internal_value(self, data: Any) -> int:  # type: ignore[override]
        text = super().to_internal_value(data)
        return int(text) if _ID_PATTERN.fullmatch(text) else 0


@extend_schema_field(OpenApiTypes.STR)
class PhoneField(TextField):
    """A phone number in any format, converted to E.164. Empty text stays empty."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        return notifications_phone.normalize_phone(text) if text else ""


class NumberField(serializers.IntegerField):
    """A JSON integer. `true` is refused."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class ChoiceField(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return str(super().to_internal_value(data))


class LinkField(serializers.URLField):
    """The URL of a page of this service, for example `LinkField("/d/{}/", source="slug")`."""

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(**options)
        self.path = path

    def to_representation(self, value: Any) -> str:
        return settings.BASE_URL + self.path.format(value)
