"""The plan of a drive as JSON, and what it would make."""

from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.serializers import CharField, DateTimeField, IntegerField

from drives.api.fields import PhoneField, TextField
from drives.api.serializers import ModelSerializer, Serializer
from drives.domain.grid import GridProblem
from drives.models import PLAN_FIELDS, Drive
from drives.planning import problems
from drives.public.serializers import DriveDetailSerializer
from organizations.translated_text import TranslatedField, TranslatedString


class BreakSerializer(Serializer):
    starts = serializers.TimeField()
    ends = serializers.TimeField()


class BreaksField(serializers.ListField):
    """Objects in JSON, pairs of times in the column."""

    child = BreakSerializer()

    def to_internal_value(self, data: Any) -> list[list[str]]:
        rows = super().to_internal_value(data)
        return [[row["starts"].isoformat(), row["ends"].isoformat()] for row in rows]

    def to_representation(self, data: list[list[str]]) -> list[dict[str, str]]:
        return [{"starts": starts, "ends": ends} for starts, ends in data]


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]})
class TranslatedTextField(serializers.Field[TranslatedString, Any, dict[str, str], Any]):
    """A string in the organization's main language, or an object with a text for each language.

    The context names that language. A string replaces the texts in all languages.
    """

    default_error_messages: ClassVar = {
        "invalid": _("Send a string, or an object with a string for each language."),
        "blank": _("This field may not be blank."),
        "language_unknown": _("Choose one of the languages offered."),
    }

    def __init__(self, *, max_length: int, allow_blank: bool, **options: Any) -> None:
        super().__init__(**options)
        self.allow_blank = allow_blank
        self.text = TextField(max_length=max_length, allow_blank=True)

    def to_internal_value(self, data: Any) -> TranslatedString:
        main = self.context["language"]
        if isinstance(data, str):
            texts = {main: self.text.run_validation(data)}
        elif isinstance(data, dict):
            texts = {language: self._text(language, text) for language, text in data.items()}
        else:
            self.fail("invalid")
        if not self.allow_blank and not texts.get(main):
            self.fail("blank")
        return TranslatedString({language: texts[language] for language in sorted(texts, key=lambda one: one != main)})

    def to_representation(self, value: TranslatedString) -> dict[str, str]:
        return value.texts

    def _text(self, language: str, text: Any) -> str:
        if language not in dict(settings.LANGUAGES):
            self.fail("language_unknown")
        try:
            return str(self.text.run_validation(text))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({language: error.detail}) from error


class PlanSerializer(ModelSerializer[Drive]):
    """A drive as it is planned: wall time at the site, visits counted in steps of the grid."""

    breaks = BreaksField(required=False, max_length=20)
    phone = PhoneField(required=False, allow_blank=True, max_length=40, help_text=_("Any spelling."))

    class Meta:
        model = Drive
        fields = [field.name for field in PLAN_FIELDS]
        extra_kwargs: ClassVar = {
            "stricter_hours": {"help_text": "Between donations; never less than the policy's."},
            "stricter_count": {"help_text": "At most so many donations in any `stricter_count_days`."},
        }

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        if not isinstance(model_field, TranslatedField):
            return super().build_standard_field(field_name, model_field)
        options = {"max_length": model_field.max_length, "allow_blank": model_field.blank}
        help_text = f"In the main language, or by language. At most {model_field.max_length} characters each."
        return TranslatedTextField, {**options, "required": not model_field.blank, "help_text": help_text}


class DaySerializer(Serializer):
    """The day of a copy."""

    on = serializers.DateField()


class CancellationSerializer(Serializer):
    """Why; donors read it."""

    reason = TextField(required=False, allow_blank=True, max_length=Drive._meta.get_field("cancel_reason").max_length)


class OwnDriveSerializer(DriveDetailSerializer):
    """A `DriveSummary` as the drive's own organization sees it; the ETag header has the version."""

    plan = PlanSerializer(source="drive", required=False)


class PlanProblemSerializer(Serializer):
    code = CharField()
    field = CharField()
    detail = serializers.SerializerMethodField()

    def get_detail(self, problem: GridProblem) -> str:
        return problems.format_problem(problem)


class PreviewTimeSerializer(Serializer):
    starts_at = DateTimeField()
    chairs = IntegerField()
    first_spots = IntegerField()
    return_spots = IntegerField()


class PreviewSerializer(Serializer):
    """What a plan would make: its problems by field, or its times with their places."""

    problems = PlanProblemSerializer(many=True)
    warnings = PlanProblemSerializer(many=True)
    timezone = CharField()
    times = PreviewTimeSerializer(many=True)
    first_visits = IntegerField()
    return_visits = IntegerField()
