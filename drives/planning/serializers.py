from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.serializers import CharField, DateTimeField, IntegerField

from drives.api.fields import PhoneField, TextField
from drives.api.serializers import CODE_HELP, ModelSerializer, Serializer
from drives.domain.grid import GridProblem
from drives.models import PLAN_FIELDS, Drive
from drives.planning import plan_problems
from drives.public.serializers import DriveDetailSerializer
from organizations.translated_text import TranslatedField, TranslatedString


class BreakSerializer(Serializer):
    """A break between two times of the day."""

    starts = serializers.TimeField()
    ends = serializers.TimeField()


class BreaksField(serializers.ListField):
    """A list of breaks. In JSON, breaks are objects. In the database, they are pairs of times."""

    child = BreakSerializer()

    def to_internal_value(self, data: Any) -> list[list[str]]:
        rows = super().to_internal_value(data)
        return [[row["starts"].isoformat(), row["ends"].isoformat()] for row in rows]

    def to_representation(self, data: list[list[str]]) -> list[dict[str, str]]:
        return [{"starts": starts, "ends": ends} for starts, ends in data]


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]})
class TranslatedTextField(serializers.Field[TranslatedString, Any, dict[str, str], Any]):
    """A text in the organization's main language, or an object with a text for each language.

    The serializer's context must contain the main language (`language`). A plain string deletes the texts in other
    languages.
    """

    default_error_messages: ClassVar = {
        "invalid": _("Send a string, or an object with a string for each language."),
        "blank": _("This field may not be blank."),
        "language_unknown": _("Choose one of the available languages."),
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
        # Put the main language first, because it is the fallback for the others.
        return TranslatedString(
            {language: texts[language] for language in sorted(texts, key=lambda language: language != main)}
        )

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
    """The plan of a drive. Times of day are local to the site. Visit lengths are in steps of `step_minutes`."""

    breaks = BreaksField(required=False, max_length=20)
    phone = PhoneField(required=False, allow_blank=True, max_length=40, help_text=_("Any format."))

    class Meta:
        model = Drive
        fields = [field.name for field in PLAN_FIELDS]
        extra_kwargs: ClassVar = {
            "day": {"help_text": "The day of the drive."},
            "site": {"help_text": "The `id` of a site."},
            "policy": {"help_text": "The `id` of a policy."},
            "cause": {"help_text": "The `id` of a cause."},
            "center": {"help_text": "The `id` of a collection center."},
            "step_minutes": {"help_text": "Minutes from one arrival time to the next."},
            "goal": {"help_text": "The donation goal."},
            "first_screening_steps": {"help_text": "How long a first visit needs a screening station, in steps."},
            "first_chair_steps": {"help_text": "How long a first visit needs a chair, in steps."},
            "return_screening_steps": {"help_text": "How long a return visit needs a screening station, in steps."},
            "return_chair_steps": {"help_text": "How long a return visit needs a chair, in steps."},
            "stricter_hours": {
                "help_text": "At least this many hours between donations. It can't be less strict than the policy."
            },
            "stricter_days": {
                "help_text": "At least this many days between donations. It can't be less strict than the policy."
            },
            "stricter_count": {"help_text": "Maximum number of donations in any `stricter_count_days` days."},
            "stricter_count_days": {"help_text": "See `stricter_count`. Send both or neither."},
            "grace_minutes": {
                "help_text": "How many minutes after the drive ends donors who did not come are marked as no-shows."
            },
        }

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        if not isinstance(model_field, TranslatedField):
            return super().build_standard_field(field_name, model_field)
        options = {"max_length": model_field.max_length, "allow_blank": model_field.blank}
        help_text = (
            'A string in the organization\'s main language, or an object such as `{"en": …, "es": …}`. '
            f"At most {model_field.max_length} characters in each language."
        )
        return TranslatedTextField, {**options, "required": not model_field.blank, "help_text": help_text}


class DaySerializer(Serializer):
    """The date of the new drive."""

    day = serializers.DateField()


class CancellationSerializer(Serializer):
    """The reason for cancelling the drive."""

    reason = TextField(
        required=False,
        allow_blank=True,
        max_length=Drive._meta.get_field("cancel_reason").max_length,
        help_text="Donors read it in the message about the cancellation.",
    )


class OwnDriveSerializer(DriveDetailSerializer):
    """A drive with its details. It has a `plan` only if the drive belongs to the caller's organization."""

    plan = PlanSerializer(source="drive", required=False)


class PlanProblemSerializer(Serializer):
    """A problem or a warning about a plan."""

    code = CharField(help_text=CODE_HELP)
    field = CharField(help_text="The member of the plan.")
    detail = serializers.SerializerMethodField()

    def get_detail(self, problem: GridProblem) -> str:
        return plan_problems.format_problem(problem)


class PreviewTimeSerializer(Serializer):
    """The capacity at one arrival time of the plan."""

    starts_at = DateTimeField()
    chairs = IntegerField()
    first_spots = IntegerField(help_text="How many first visits can start then.")
    return_spots = IntegerField(help_text="How many return visits can start then.")


class PreviewSerializer(Serializer):
    """A plan's problems, or its arrival times and capacity."""

    problems = PlanProblemSerializer(many=True, help_text="Problems to fix before the plan can be saved.")
    warnings = PlanProblemSerializer(many=True, help_text="Possible mistakes. The plan can be saved with them.")
    timezone = CharField()
    times = PreviewTimeSerializer(many=True)
    first_visits = IntegerField(help_text="How many visits fit in the day if all of them are first visits.")
    return_visits = IntegerField(help_text="How many visits fit in the day if all of them are return visits.")
