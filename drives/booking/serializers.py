from typing import ClassVar

from rest_framework.serializers import BooleanField, ListField

from drives.api.fields import ChoiceField, IdField, LinkField, TextField
from drives.api.serializers import TIMEZONE_HELP, ModelSerializer, Serializer, SiteTimesSerializer
from drives.models import Booking, SelfReportedDonation, Visit
from notifications.models import Purpose
from volunteers import rules as volunteers_rules


class BookingSerializer(SiteTimesSerializer, ModelSerializer[Booking]):
    """A booking, as shown to a client with its token. It contains no donor data."""

    slot = IdField(source="arrival_id", help_text="The slot in which the visit starts.")
    timezone = TextField(source="drive.site.timezone", help_text=TIMEZONE_HELP)
    manage_url = LinkField("/b/{}/", source="token", help_text="The page where the donor confirms, moves or cancels.")
    calendar_url = LinkField("/b/{}/calendar.ics", source="token")
    token = TextField(help_text="Gives access to the booking without a key. Keep it secret.")

    class Meta:
        model = Booking
        fields = (
            "id",
            "reference",
            "state",
            "held_until",
            "visit",
            "drive",
            "slot",
            "starts_at",
            "timezone",
            "manage_url",
            "calendar_url",
            "token",
        )
        read_only_fields = fields
        extra_kwargs: ClassVar = {
            "reference": {"help_text": "Short name of the booking, for people. It gives no access to the booking."},
            "held_until": {"help_text": "When a held slot is released unless it is verified."},
        }


class PartySerializer(Serializer):
    """The bookings in a party."""

    bookings = BookingSerializer(
        many=True, help_text="In the order of `people`. Verify all of them with the token of the first."
    )


class SelfReportedSerializer(ModelSerializer[SelfReportedDonation]):
    """A donation elsewhere, as the donor reports it: what the donor gave, and on which day."""

    class Meta:
        model = SelfReportedDonation
        fields = ("kind", "donated_on")


class ContactSerializer(Serializer):
    """A donor's contacts and consents. A phone number or an e-mail address is required."""

    phone = TextField(
        max_length=volunteers_rules.PHONE_MAX_TYPED,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="In any common format. If you send it, the code is texted to this number.",
    )
    email = TextField(max_length=volunteers_rules.EMAIL_MAX_TYPED, required=False, allow_null=True, allow_blank=True)
    language = TextField(
        max_length=20,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="The language of messages to the donor, such as `en` or `es`.",
    )
    consents = ListField(
        child=ChoiceField(choices=Purpose.choices),
        required=False,
        max_length=10,
        help_text="What the donor agreed to: `reminders` about this booking, `news` about upcoming drives.",
    )
    self_check = ListField(
        child=TextField(max_length=40),
        required=False,
        max_length=30,
        help_text="All codes of the drive's `self_check`, or only `will_ask` if the donor will ask the center.",
    )
    is_for_other = BooleanField(
        required=False, default=False, help_text="True if the contact belongs to another person, such as a parent."
    )


class PersonSerializer(ContactSerializer):
    visit = ChoiceField(choices=Visit.choices)
    name = TextField(max_length=volunteers_rules.NAME_MAX_TYPED, allow_blank=True, trim_whitespace=False)


class OverrideSerializer(Serializer):
    """The reason to override an interval rule, if there is one."""

    override_reason = TextField(
        max_length=Booking._meta.get_field("override_reason").max_length,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Overrides an interval rule and is kept with the booking. Not for public calls.",
    )


class NewBookingSerializer(OverrideSerializer, PersonSerializer):
    """A donor and the wanted slot. A phone number or an e-mail address is required."""

    slot = IdField(help_text="The `id` of an open slot.")
    self_reported = SelfReportedSerializer(
        required=False, allow_null=True, help_text="The donor's last donation elsewhere. The interval rules count it."
    )


class CompanionSerializer(Serializer):
    """One person in a party."""

    name = TextField(max_length=volunteers_rules.NAME_MAX_TYPED, allow_blank=True, trim_whitespace=False)
    visit = ChoiceField(choices=Visit.choices)


class NewPartySerializer(ContactSerializer):
    """A party. The contact belongs to the first person, unless `is_for_other` is true."""

    slot = IdField(help_text="The `id` of the slot in which the party's earliest visit begins.")
    people = ListField(child=CompanionSerializer(), min_length=1, max_length=20, help_text="One to six people.")


class CodeSerializer(Serializer):
    """The code that was sent to the donor."""

    code = TextField(max_length=40, help_text="Six digits.")
    booking_for = ChoiceField(
        choices=[("me", "The donor is the person that we know"), ("other", "The donor is another person")],
        required=False,
        help_text="Send this only after the problem `other_name`. `me`: the donor is the person that we know, perhaps "
        "under a new name. `other`: the booking is for another person.",
    )


class ResendCodeSerializer(Serializer):
    """Where to send the new code."""

    by_email = BooleanField(required=False, default=False, help_text="Send the code by e-mail instead of by text.")


class MoveSerializer(Serializer):
    """The new time of a booking."""

    slot = IdField(help_text="The `id` of the new slot.")
    all = BooleanField(required=False, default=False, help_text="Move every booking of the party, or none.")
