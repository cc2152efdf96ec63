"""The plan of a drive as JSON, and what it would make."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import CharField, DateTimeField, IntegerField

from drives.api.fields import PhoneField, TextField
from drives.api.serializers import ModelSerializer, Serializer
from drives.domain.grid import Problem
from drives.models import PLAN_FIELDS, Drive
from drives.planning import problems
from drives.public.serializers import DriveDetailSerializer


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


class PlanSerializer(ModelSerializer[Drive]):
    """A drive as it is planned: wall time at the site, visits counted in steps of the grid."""

    breaks = BreaksField(required=False, max_length=20)
    phone = PhoneField(required=False, allow_blank=True, max_length=40, help_text=_("Any spelling."))

    class Meta:
        model = Drive
        fields = [field.name for field in PLAN_FIELDS]
        extra_kwargs: ClassVar = {
            "description_es": {"help_text": "Read in Spanish; where it is empty, the other one."},
            "stricter_hours": {"help_text": "Between donations; never less than the policy's."},
            "stricter_count": {"help_text": "At most so many donations in any `stricter_count_days`."},
        }


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

    def get_detail(self, problem: Problem) -> str:
        return problems.in_words(problem)


class PreviewTimeSerializer(Serializer):
    starts_at = DateTimeField()
    chairs = IntegerField()
    first_places = IntegerField()
    return_places = IntegerField()


class PreviewSerializer(Serializer):
    """What a plan would make: its problems by field, or its times with their places."""

    problems = PlanProblemSerializer(many=True)
    warnings = PlanProblemSerializer(many=True)
    timezone = CharField()
    times = PreviewTimeSerializer(many=True)
    first_visits = IntegerField()
    return_visits = IntegerField()
