"""The shapes of the answers, for the schema. `answers` makes the answers themselves; a test holds both together."""

from functools import partial
from typing import Any

from rest_framework import serializers
from rest_framework.serializers import BooleanField, CharField, DateTimeField, IntegerField, ListField, URLField

from drives.models import BookingState, DriveState, Source, Visit

Shape = serializers.Serializer[Any]
maybe = partial(dict[str, Any], allow_null=True)


class OrganizationName(Shape):
    slug = CharField()
    name = CharField()


class Place(Shape):
    name = CharField()
    address = CharField()
    city = CharField()
    timezone = CharField(help_text="IANA name.")


class Drive(Shape):
    id = CharField()
    slug = CharField()
    title = CharField()
    status = serializers.ChoiceField(choices=DriveState.choices)
    organization = OrganizationName()
    site = Place()
    starts_at = DateTimeField()
    ends_at = DateTimeField()
    places_left = IntegerField(help_text="Return visits that still fit; never add it to other figures.")
    url = URLField()


class CauseName(Shape):
    title = CharField()
    story = CharField(allow_blank=True)
    learn_more_url = CharField(allow_blank=True)
    give_url = CharField(allow_blank=True)


class PolicyName(Shape):
    code = CharField()
    version = IntegerField()
    name = CharField()
    source = CharField()  # type: ignore[assignment]


class Window(Shape):
    count = IntegerField()
    days = IntegerField()


class DriveRules(PolicyName):
    min_hours = IntegerField(**maybe())
    min_days = IntegerField(**maybe())
    windows = Window(many=True)


class Confirmation(Shape):
    code = CharField()
    text = CharField()


class VisitLength(Shape):
    kind = serializers.ChoiceField(choices=Visit.choices)
    minutes = IntegerField()


class DriveDetail(Drive):
    description = CharField(allow_blank=True)
    cause = CauseName(**maybe())
    policy = DriveRules()
    confirms = Confirmation(many=True)
    visits = VisitLength(many=True)


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


class OwnDrive(DriveDetail):
    """As its own organization sees it; the ETag header has the version."""

    plan = Plan(required=False)


class Booking(Shape):
    id = CharField()
    reference = CharField()
    state = serializers.ChoiceField(choices=BookingState.choices)
    held_until = DateTimeField(**maybe())
    visit = serializers.ChoiceField(choices=Visit.choices)
    drive = CharField()
    slot = CharField()
    starts_at = DateTimeField()
    timezone = CharField()
    manage_url = URLField()
    calendar_url = URLField()
    token = CharField(help_text="Opens the booking; keep it as you would keep a password.")


class DayBooking(Shape):
    id = CharField()
    volunteer = CharField(help_text="Of the organization's own; somebody erased is called so.")
    reference = CharField()
    state = serializers.ChoiceField(choices=BookingState.choices)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]
    visit = serializers.ChoiceField(choices=Visit.choices)
    drive = CharField()
    slot = CharField()
    starts_at = DateTimeField()
    timezone = CharField()
    name = CharField()
    phone = CharField(**maybe())
    email = CharField(**maybe())
    checked_in_at = DateTimeField(**maybe())
    outcome_at = DateTimeField(**maybe())
    override_reason = CharField(allow_blank=True)


class MessageState(Shape):
    kind = CharField()
    channel = CharField()
    state = CharField()


class RosterRow(DayBooking):
    messages = MessageState(many=True)


class TurnoutCounts(Shape):
    booked = IntegerField()
    confirmed = IntegerField()
    arrived = IntegerField()
    donated = IntegerField()
    incomplete = IntegerField()
    deferred = IntegerField()
    left = IntegerField()
    no_show = IntegerField()
    cancelled_early = IntegerField()
    cancelled_late = IntegerField()
    walk_in = IntegerField()
    first_visit = IntegerField()
    unresolved = IntegerField()


class Turnout(Shape):
    drive = CharField()
    final = BooleanField()
    closed_out_at = DateTimeField(**maybe())
    timezone = CharField()
    goal = IntegerField(**maybe())
    counts = TurnoutCounts()


class Organization(OrganizationName):
    id = CharField()
    legal_name = CharField(allow_blank=True)
    email = CharField()
    phone = CharField(allow_blank=True)
    website = CharField(allow_blank=True)
    language = CharField()


class Site(Place):
    id = CharField()
    country = CharField()
    map_url = CharField(allow_blank=True)
    arrival_note = CharField(allow_blank=True)


class Fact(Shape):
    text = CharField()
    source = CharField()  # type: ignore[assignment]
    url = CharField(allow_blank=True)


class Cause(CauseName):
    id = CharField()
    strip = CharField()
    facts = Fact(many=True)


class Collector(Shape):
    id = CharField()
    name = CharField()
    phone = CharField(allow_blank=True)
    asks_for = CharField(allow_blank=True)
    website = CharField(allow_blank=True)


class Policy(DriveRules):
    id = CharField()
    confirms = ListField(child=CharField())
    first_minutes = IntegerField()
    return_minutes = IntegerField()
    verified = BooleanField()
