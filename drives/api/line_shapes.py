"""The shapes of the waiting list's answers, beside `shapes`."""

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import CharField, DateTimeField, IntegerField, URLField

from drives.api import shapes
from drives.api.shapes import Shape
from drives.models import Visit, WaitingState


class WaitingWindow(Shape):
    """Arrival times somebody can make: from, and before; null is any time."""

    def get_fields(self) -> dict[str, Any]:
        return {name: DateTimeField(**shapes.maybe()) for name in ("from", "to")}


class Offer(Shape):
    starts_at = DateTimeField()
    deadline = DateTimeField(help_text="The place is kept until then.")
    url = URLField()


class Waiting(Shape):
    """Somebody's place in line, for whoever has its token."""

    id = CharField()
    state = serializers.ChoiceField(choices=WaitingState.choices)
    held_until = DateTimeField(**shapes.maybe())
    position = IntegerField(help_text="1 for the first in line; 0 for who is not in it.")
    visit = serializers.ChoiceField(choices=Visit.choices)
    drive = CharField()
    window = WaitingWindow()
    timezone = CharField()
    offer = Offer(**shapes.maybe())
    url = URLField()
    token = CharField(help_text="Opens the entry; keep it as you would keep a password.")


class ClosedLine(Shape):
    waited = IntegerField(help_text="How many were in line; 0 when it is closed once more.")
