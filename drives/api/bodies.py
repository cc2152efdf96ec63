"""What a request may carry. Strict about JSON's types; members that are not named here are ignored.

Each body is made once and asked with `run_validation`: it keeps no state, and making a serializer for each request
costs more than judging one.
"""

from typing import Any, cast

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from drives.api.fields import ChoiceField, IdField, NumberField, PhoneField, TextField
from drives.models import OUTCOMES, BookingState, DonationKind, DriveState, Visit
from notifications.models import Purpose


class StatedBody(serializers.Serializer[Any]):
    """The last donation elsewhere as the donor states it: a kind and a day."""

    kind = ChoiceField(choices=DonationKind.choices)
    on = serializers.DateField()


class PersonBody(serializers.Serializer[Any]):
    """Who it is for. `phone` or `email` is needed; the code goes to the phone if there is one."""

    visit = ChoiceField(choices=Visit.choices)
    name = TextField(max_length=400, trim_whitespace=False)
    phone = TextField(max_length=40, required=False, allow_null=True, allow_blank=True, help_text=_("Any spelling."))
    email = TextField(max_length=254, required=False, allow_null=True, allow_blank=True)
    language = TextField(
        max_length=20, required=False, allow_null=True, allow_blank=True, help_text=_("Such as en or es.")
    )
    consents = serializers.ListField(
        child=ChoiceField(choices=Purpose.choices), required=False, max_length=10, help_text=_("What was ticked.")
    )
    confirms = serializers.ListField(
        child=TextField(max_length=40), required=False, max_length=30, help_text=_("Codes of the drive's `confirms`.")
    )
    for_other = serializers.BooleanField(
        required=False, default=False, help_text=_("The person is somebody else who is reached through this contact.")
    )


class BookingBody(PersonBody):
    """A place, and the person it is for."""

    slot = IdField(help_text=_("An id from the drive's slots."))
    stated = StatedBody(
        required=False, allow_null=True, help_text=_("A last donation elsewhere; counts for the intervals.")
    )
    override_reason = TextField(
        max_length=200,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text=_("With a key or a session only: why an interval rule does not count this once."),
    )


class CompanionBody(serializers.Serializer[Any]):
    """One person of a party."""

    name = TextField(max_length=400, trim_whitespace=False)
    visit = ChoiceField(choices=Visit.choices)


class PartyBody(serializers.Serializer[Any]):
    """Two to six people and one contact, the first one's own unless `for_other`. They come at `slot`, or one by one."""

    slot = IdField(help_text=_("The time of whoever comes first."))
    people = serializers.ListField(child=CompanionBody(), max_length=20)
    phone = TextField(max_length=40, required=False, allow_null=True, allow_blank=True, help_text=_("Any spelling."))
    email = TextField(max_length=254, required=False, allow_null=True, allow_blank=True)
    language = TextField(
        max_length=20, required=False, allow_null=True, allow_blank=True, help_text=_("Such as en or es.")
    )
    consents = serializers.ListField(
        child=ChoiceField(choices=Purpose.choices), required=False, max_length=10, help_text=_("What was ticked.")
    )
    confirms = serializers.ListField(
        child=TextField(max_length=40), required=False, max_length=30, help_text=_("True for each of them.")
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

    code = TextField(max_length=40)
    whose = ChoiceField(
        choices=[("me", _("For me: my name has changed")), ("other", _("For somebody else who is reached here"))],
        required=False,
        help_text=_("The answer to `other_name`: `me` gives the contact's owner the new name."),
    )


class SlotBody(serializers.Serializer[Any]):
    """Another time of the same drive; for everybody who was booked together, while the code is outstanding."""

    slot = IdField()
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


class OutcomeBody(serializers.Serializer[Any]):
    """What became of a visit, and when if that was not just now."""

    outcome = ChoiceField(choices=sorted({*OUTCOMES, BookingState.NO_SHOW}))
    at = serializers.DateTimeField(required=False, allow_null=True)


class WalkInBody(serializers.Serializer[Any]):
    """Somebody who came without a booking."""

    name = TextField(max_length=400)
    visit = ChoiceField(choices=Visit.choices)
    phone = TextField(max_length=40, required=False, allow_null=True, allow_blank=True)
    email = TextField(max_length=254, required=False, allow_null=True, allow_blank=True)
    override_reason = TextField(max_length=200, required=False, allow_null=True, allow_blank=True)


class OverrideBody(serializers.Serializer[Any]):
    """Why somebody is let in although an interval rule stands against it; kept with the booking."""

    override_reason = TextField(max_length=200, required=False, allow_null=True, allow_blank=True)


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
