"""What a request may carry. Strict about JSON's types; members that are not named here are ignored.

Each body is made once and asked with `run_validation`: it keeps no state, and making a serializer for each request
costs more than judging one.
"""

import re
from typing import Any, cast

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from drives.models import OUTCOMES, BookingState, DonationKind, DriveState, Visit
from notifications import phone as notifications_phone
from notifications.models import Purpose

_ID = re.compile(r"[0-9]{1,18}")


class Text(serializers.CharField):
    """A JSON string; numbers are not taken for one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.STR)
class Id(Text):
    """An opaque id. One that cannot be ours becomes 0, which belongs to nothing."""

    def to_internal_value(self, data: Any) -> int:  # type: ignore[override]
        text = super().to_internal_value(data)
        return int(text) if _ID.fullmatch(text) else 0


@extend_schema_field(OpenApiTypes.STR)
class Phone(Text):
    """A phone number in any spelling, kept as E.164; empty for none."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        return notifications_phone.normalize(text) if text else ""


class Number(serializers.IntegerField):
    """A JSON integer; neither text nor true is taken for one."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """One of a few strings."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return str(super().to_internal_value(data))


class StatedBody(serializers.Serializer[Any]):
    """The last donation elsewhere as the donor states it: a kind and a day."""

    kind = Choice(choices=DonationKind.choices)
    on = serializers.DateField()


class PersonBody(serializers.Serializer[Any]):
    """Who it is for. `phone` or `email` is needed; the code goes to the phone if there is one."""

    visit = Choice(choices=Visit.choices)
    name = Text(max_length=400, trim_whitespace=False)
    phone = Text(max_length=40, required=False, allow_null=True, allow_blank=True, help_text=_("Any spelling."))
    email = Text(max_length=254, required=False, allow_null=True, allow_blank=True)
    language = Text(max_length=20, required=False, allow_null=True, allow_blank=True, help_text=_("Such as en or es."))
    consents = serializers.ListField(
        child=Choice(choices=Purpose.choices), required=False, max_length=10, help_text=_("What was ticked.")
    )
    confirms = serializers.ListField(
        child=Text(max_length=40), required=False, max_length=30, help_text=_("Codes of the drive's `confirms`.")
    )
    for_other = serializers.BooleanField(
        required=False, default=False, help_text=_("The person is somebody else who is reached through this contact.")
    )


class BookingBody(PersonBody):
    """A place, and the person it is for."""

    slot = Id(help_text=_("An id from the drive's slots."))
    stated = StatedBody(
        required=False, allow_null=True, help_text=_("A last donation elsewhere; counts for the intervals.")
    )
    override_reason = Text(
        max_length=200,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text=_("With a key or a session only: why an interval rule does not count this once."),
    )


class CompanionBody(serializers.Serializer[Any]):
    """One person of a party."""

    name = Text(max_length=400, trim_whitespace=False)
    visit = Choice(choices=Visit.choices)


class PartyBody(serializers.Serializer[Any]):
    """Two to six people and one contact, the first one's own unless `for_other`. They come at `slot`, or one by one."""

    slot = Id(help_text=_("The time of whoever comes first."))
    people = serializers.ListField(child=CompanionBody(), max_length=20)
    phone = Text(max_length=40, required=False, allow_null=True, allow_blank=True, help_text=_("Any spelling."))
    email = Text(max_length=254, required=False, allow_null=True, allow_blank=True)
    language = Text(max_length=20, required=False, allow_null=True, allow_blank=True, help_text=_("Such as en or es."))
    consents = serializers.ListField(
        child=Choice(choices=Purpose.choices), required=False, max_length=10, help_text=_("What was ticked.")
    )
    confirms = serializers.ListField(
        child=Text(max_length=40), required=False, max_length=30, help_text=_("True for each of them.")
    )
    for_other = serializers.BooleanField(
        required=False, default=False, help_text=_("Whose contact it is does not come: all of them are others.")
    )


class WaitBody(PersonBody):
    """Somebody who waits, and which arrival times they can make: from, and before; none is any time."""

    def get_fields(self) -> dict[str, Any]:
        # "from" is a word of the language.
        window = {name: serializers.DateTimeField(required=False, allow_null=True) for name in ("from", "to")}
        return {**super().get_fields(), **window}


class CodeBody(serializers.Serializer[Any]):
    """The six digits that were sent; and for whom it is, once `other_name` asked."""

    code = Text(max_length=40)
    whose = Choice(
        choices=[("me", _("For me: my name has changed")), ("other", _("For somebody else who is reached here"))],
        required=False,
        help_text=_("The answer to `other_name`: `me` gives the contact's owner the new name."),
    )


class SlotBody(serializers.Serializer[Any]):
    """Another time of the same drive; for everybody who was booked together, while the code is outstanding."""

    slot = Id()
    all = serializers.BooleanField(
        required=False, default=False, help_text=_("All of a party that is held, as they fit around that time.")
    )


class SendAgainBody(serializers.Serializer[Any]):
    """Where the new code goes: as before, or by e-mail if the person gave an address."""

    by_email = serializers.BooleanField(required=False, default=False)


class BreakBody(serializers.Serializer[Any]):
    starts = serializers.TimeField()
    ends = serializers.TimeField()


class PlanBody(serializers.Serializer[Any]):
    """A drive as it is planned: wall time at the site, visits counted in steps of the grid."""

    site = Id()
    policy = Id()
    cause = Id(required=False, allow_null=True)
    collector = Id(required=False, allow_null=True)
    title = Text(max_length=120)
    description = Text(required=False, allow_blank=True, max_length=10_000)
    bring = Text(required=False, allow_blank=True, max_length=200)
    description_es = Text(required=False, allow_blank=True, max_length=10_000)
    bring_es = Text(required=False, allow_blank=True, max_length=200)
    phone = Phone(required=False, allow_blank=True, max_length=40, help_text=_("Any spelling."))
    goal = Number(required=False, allow_null=True, min_value=1, max_value=10_000)
    on = serializers.DateField()
    opens = serializers.TimeField()
    closes = serializers.TimeField()
    breaks = serializers.ListField(child=BreakBody(), required=False, max_length=20)
    step_minutes = Number(required=False, min_value=5, max_value=60)
    chairs = Number(min_value=1, max_value=500)
    screening_places = Number(min_value=0, max_value=500)
    first_screening_steps = Number(min_value=0, max_value=100)
    first_chair_steps = Number(min_value=1, max_value=100)
    return_screening_steps = Number(min_value=0, max_value=100)
    return_chair_steps = Number(min_value=1, max_value=100)
    stricter_hours = Number(required=False, allow_null=True, min_value=1, max_value=9999)
    stricter_days = Number(required=False, allow_null=True, min_value=1, max_value=366)
    stricter_count = Number(required=False, allow_null=True, min_value=1, max_value=366)
    stricter_count_days = Number(required=False, allow_null=True, min_value=1, max_value=366)
    grace_minutes = Number(required=False, min_value=0, max_value=1440)


class DayBody(serializers.Serializer[Any]):
    """The day of a copy."""

    on = serializers.DateField()


class ReasonBody(serializers.Serializer[Any]):
    """Why; donors read it."""

    reason = Text(required=False, allow_blank=True, max_length=300)


class OutcomeBody(serializers.Serializer[Any]):
    """What became of a visit, and when if that was not just now."""

    outcome = Choice(choices=sorted({*OUTCOMES, BookingState.NO_SHOW}))
    at = serializers.DateTimeField(required=False, allow_null=True)


class WalkInBody(serializers.Serializer[Any]):
    """Somebody who came without a booking."""

    name = Text(max_length=400)
    visit = Choice(choices=Visit.choices)
    phone = Text(max_length=40, required=False, allow_null=True, allow_blank=True)
    email = Text(max_length=254, required=False, allow_null=True, allow_blank=True)
    override_reason = Text(max_length=200, required=False, allow_null=True, allow_blank=True)


class OverrideBody(serializers.Serializer[Any]):
    """Why somebody is let in although an interval rule stands against it; kept with the booking."""

    override_reason = Text(max_length=200, required=False, allow_null=True, allow_blank=True)


class DrivesQuery(serializers.Serializer[Any]):
    """Which drives."""

    organization = serializers.CharField(max_length=60, required=False, allow_blank=True)
    city = serializers.CharField(max_length=80, required=False, allow_blank=True)
    status = serializers.ChoiceField(choices=DriveState.choices, required=False)

    def get_fields(self) -> dict[str, Any]:
        # "from" is a word of the language.
        days = {"from": serializers.DateField(required=False), "to": serializers.DateField(required=False)}
        return {**super().get_fields(), **days}


class SlotsQuery(serializers.Serializer[Any]):
    """For which kind of visit."""

    visit = serializers.ChoiceField(choices=Visit.choices, required=False)


def asked(query: serializers.Serializer[Any], parameters: QueryDict) -> dict[str, Any]:
    """The parameters of an address, judged; a wrong one is 400 and named with a question mark."""
    try:
        return dict(query.run_validation(parameters.dict()))
    except ValidationError as error:
        by_name = cast("dict[str, list[ErrorDetail]]", error.detail)
        named = {f"?{name}": said for name, said in by_name.items()}
        raise ValidationError(named) from error
