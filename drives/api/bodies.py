"""What a request may carry. Strict about JSON's types; members that are not named here are ignored.

Each body is made once and asked with `run_validation`: it keeps no state, and making a serializer for each request
costs more than judging one.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from drives.api.fields import IdField, NumberField, PhoneField, TextField


class BreakBody(serializers.Serializer[Any]):
    starts = serializers.TimeField()
    ends = serializers.TimeField()


class PlanBody(serializers.Serializer[Any]):
    """A drive as it is planned: wall time at the site, visits counted in steps of the grid."""

    site = IdField()
    policy = IdField()
    cause = IdField(required=False, allow_null=True)
    collector = IdField(required=False, allow_null=True)
    title = TextField(max_length=120)
    description = TextField(required=False, allow_blank=True, max_length=10_000)
    bring = TextField(required=False, allow_blank=True, max_length=200)
    description_es = TextField(required=False, allow_blank=True, max_length=10_000)
    bring_es = TextField(required=False, allow_blank=True, max_length=200)
    phone = PhoneField(required=False, allow_blank=True, max_length=40, help_text=_("Any spelling."))
    goal = NumberField(required=False, allow_null=True, min_value=1, max_value=10_000)
    on = serializers.DateField()
    opens = serializers.TimeField()
    closes = serializers.TimeField()
    breaks = serializers.ListField(child=BreakBody(), required=False, max_length=20)
    step_minutes = NumberField(required=False, min_value=5, max_value=60)
    chairs = NumberField(min_value=1, max_value=500)
    screening_places = NumberField(min_value=0, max_value=500)
    first_screening_steps = NumberField(min_value=0, max_value=100)
    first_chair_steps = NumberField(min_value=1, max_value=100)
    return_screening_steps = NumberField(min_value=0, max_value=100)
    return_chair_steps = NumberField(min_value=1, max_value=100)
    stricter_hours = NumberField(required=False, allow_null=True, min_value=1, max_value=9999)
    stricter_days = NumberField(required=False, allow_null=True, min_value=1, max_value=366)
    stricter_count = NumberField(required=False, allow_null=True, min_value=1, max_value=366)
    stricter_count_days = NumberField(required=False, allow_null=True, min_value=1, max_value=366)
    grace_minutes = NumberField(required=False, min_value=0, max_value=1440)


class DayBody(serializers.Serializer[Any]):
    """The day of a copy."""

    on = serializers.DateField()


class ReasonBody(serializers.Serializer[Any]):
    """Why; donors read it."""

    reason = TextField(required=False, allow_blank=True, max_length=300)
