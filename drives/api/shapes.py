"""The shapes of the answers, for the schema. `answers` makes the answers themselves; a test holds both together."""

from functools import partial
from typing import Any

from rest_framework import serializers
from rest_framework.serializers import CharField, IntegerField

Shape = serializers.Serializer[Any]
maybe = partial(dict[str, Any], allow_null=True)


class Break(Shape):
    starts = serializers.TimeField()
    ends = serializers.TimeField()


class Plan(Shape):
    site = CharField()
    policy = CharField()
    cause = CharField(**maybe())
    collector = CharField(**maybe())
    title = CharField()
    description = CharField(allow_blank=True)
    description_es = CharField(allow_blank=True, help_text="Read in Spanish; where it is empty, the other one.")
    bring = CharField(allow_blank=True)
    bring_es = CharField(allow_blank=True)
    phone = CharField(allow_blank=True)
    goal = IntegerField(**maybe())
    on = serializers.DateField()
    opens = serializers.TimeField()
    closes = serializers.TimeField()
    breaks = Break(many=True)
    step_minutes = IntegerField()
    chairs = IntegerField()
    screening_places = IntegerField()
    first_screening_steps = IntegerField()
    first_chair_steps = IntegerField()
    return_screening_steps = IntegerField()
    return_chair_steps = IntegerField()
    grace_minutes = IntegerField()
    stricter_hours = IntegerField(**maybe(help_text="Between donations; never less than the policy's."))
    stricter_days = IntegerField(**maybe())
    stricter_count = IntegerField(**maybe(help_text="At most so many donations in any `stricter_count_days`."))
    stricter_count_days = IntegerField(**maybe())
