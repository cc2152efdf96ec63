"""Base classes of the API's serializers, and serializers that several areas use.

A serializer describes a request or response body. It validates requests, writes responses, and defines the OpenAPI
schema.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, ClassVar, Self, TypeVar, cast
from zoneinfo import ZoneInfo

from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.serializers import DateTimeField, IntegerField

from drives.api.fields import ChoiceField, IdField, NumberField, TextField
from drives.domain import localtime
from drives.refusals import OpenTime, Reason
from organizations.translated_text import TranslatedField

Row = TypeVar("Row", bound=models.Model)

CODE_HELP = "Stable. Clients should branch on this."
DETAIL_HELP = "A sentence for people, in the language of the request."
TIMEZONE_HELP = "The name of the site's time zone, such as America/Los_Angeles."


class SharedSerializer(serializers.BaseSerializer[Any]):
    # Keep one instance per class, because building the fields takes 0.2 to 0.4 ms, ten times as long as using them.
    @classmethod
    @cache
    def get_instance(cls) -> Self:
        return cls()

    @classmethod
    def read(cls, body: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", cls.get_instance().run_validation(body))

    @classmethod
    def write(cls, row: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", cls.get_instance().to_representation(row))


# The base classes have no docstrings, because drf-spectacular would show them as the description of every type.
class Serializer(SharedSerializer, serializers.Serializer[Any]):
    pass


# The query parameters of a call.
class QuerySerializer(Serializer):
    @classmethod
    def read(cls, body: QueryDict) -> dict[str, Any]:
        """Validate query parameters. In errors, a parameter's name starts with a question mark, such as "?from"."""
        try:
            return super().read(body.dict())
        except ValidationError as error:
            by_name = cast("dict[str, list[ErrorDetail]]", error.detail)
            raise ValidationError({f"?{name}": details for name, details in by_name.items()}) from error


# Limits and choices come from the model. Ids and references to other rows are opaque strings.
class ModelSerializer(SharedSerializer, serializers.ModelSerializer[Row]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BigAutoField: IdField,
        models.CharField: TextField,
        models.TextField: TextField,
        models.PositiveIntegerField: NumberField,
        models.PositiveSmallIntegerField: NumberField,
    }
    serializer_choice_field = ChoiceField

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        """Represent a translated field by its text in the request's language."""
        if isinstance(model_field, TranslatedField):
            return TextField, {"read_only": True}
        return super().build_standard_field(field_name, model_field)

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        """Represent a related row by its id, which needs no query. Actions check the ids that clients send."""
        column = relation_info.model_field
        options: dict[str, Any] = {"source": column.attname}
        if not column.editable:
            options["read_only"] = True
        elif column.null:
            options.update(required=False, allow_null=True)
        return IdField, options


# Times are written with the site's UTC offset. `zone_source` is the attribute path to the zone's name.
class SiteTimesSerializer(serializers.BaseSerializer[Any]):
    zone_source: ClassVar[str] = "drive.site.timezone"

    def to_representation(self, instance: Any) -> Any:
        with timezone.override(attrgetter(self.zone_source)(instance)):
            return super().to_representation(instance)


class ReasonSerializer(Serializer):
    """One reason why the request was refused."""

    code = TextField(help_text=CODE_HELP)
    detail = TextField(help_text=DETAIL_HELP)
    earliest_ok_at = DateTimeField(required=False, help_text="The earliest time that the interval rule allows.")
    person = TextField(
        required=False, help_text="In a party, the name of the person that the reason is about, as you sent it."
    )

    def to_representation(self, instance: Reason) -> dict[str, Any]:
        return {name: value for name, value in super().to_representation(instance).items() if value}


class SlotSerializer(Serializer):
    """An arrival time that is still open."""

    id = TextField()
    starts_at = DateTimeField(help_text="With the offset of the site.")
    local_time = TextField(help_text="The same time for people, in the language of the request.")
    timezone = TextField(help_text=TIMEZONE_HELP)
    spots_left = IntegerField(help_text="How many visits of this type can still start at this time.")
    drive = TextField(required=False, help_text="Only if the slot belongs to another drive: the `id` of that drive.")

    @classmethod
    def write_all(cls, times: Iterable[OpenTime], zone: str) -> list[dict[str, Any]]:
        """Serialize a list of open times. Each time is shown in the zone of the drive's site.

        `zone` is the zone of the requested drive. This function does not use the serializer's fields, because lists of
        open times are the most frequent response: 40 rows take 0.1 ms instead of 1 ms.
        """
        language, rows = get_language() or "en", []
        for time in times:
            elsewhere = time.other_drive
            there = elsewhere.zone if elsewhere else zone
            starts_at, local_time = _format_time(time.starts_at, there, language)
            row = {
                "id": str(time.slot_id),
                "starts_at": starts_at,
                "local_time": local_time,
                "timezone": there,
                "spots_left": time.spots_left,
            }
            rows.append({**row, "drive": str(elsewhere.drive_id)} if elsewhere else row)
        return rows


@lru_cache(maxsize=8192)
def _format_time(starts_at: datetime, zone: str, language: str) -> tuple[str, str]:
    """Return a time in ISO 8601 and as text for people. Cached, because formatting is the slowest part of a row."""
    return starts_at.astimezone(ZoneInfo(zone)).isoformat(), localtime.format_time(starts_at, zone)


class ErrorSerializer(Serializer):
    """One invalid field or parameter."""

    pointer = TextField(help_text="`#/phone` for a member of the body (a JSON pointer), `?from` for a parameter.")
    code = TextField(help_text=CODE_HELP)
    detail = TextField(help_text=DETAIL_HELP)


class ProblemSerializer(Serializer):
    """A problem document (RFC 9457)."""

    type = TextField()
    title = TextField()
    status = IntegerField()
    code = TextField(help_text=CODE_HELP)
    detail = TextField(required=False, help_text=DETAIL_HELP)


class InvalidSerializer(ProblemSerializer):
    """A 400 problem. `errors` lists every invalid field or parameter."""

    errors = ErrorSerializer(many=True)  # type: ignore[assignment]


class ConflictSerializer(ProblemSerializer):
    """A 409 problem, with the reasons for the refusal and the nearest slots that fit the visit."""

    reasons = ReasonSerializer(many=True, required=False)
    alternatives = SlotSerializer(many=True, required=False)
