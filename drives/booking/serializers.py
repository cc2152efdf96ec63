from rest_framework.serializers import BooleanField, ListField

from drives.api.fields import ChoiceField, IdField, LinkField, TextField
from drives.api.serializers import ModelSerializer, Serializer, SiteTimesSerializer
from drives.models import Booking, SelfReportedDonation, Visit
from notifications.models import Purpose
from volunteers import rules as volunteers_rules


class BookingSerializer(SiteTimesSerializer, ModelSerializer[Booking]):
    """A booking for the holder of its token. It tells nothing about the donor."""

    slot = IdField(source="arrival_id")
    timezone = TextField(source="drive.site.timezone")
    manage_url = LinkField("/b/{}/", source="token")
    calendar_url = LinkField("/b/{}/calendar.ics", source="token")
    token = TextField(help_text="Opens the booking. Keep it like a password.")

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


class PartySerializer(Serializer):
    bookings = BookingSerializer(many=True, help_text="In the order of `people`. The first token verifies all.")


class SelfReportedSerializer(ModelSerializer[SelfReportedDonation]):
    """The last donation elsewhere, as the donor remembers it: a kind and a day."""

    class Meta:
        model = SelfReportedDonation
        fields = ("kind", "on")


class ContactSerializer(Serializer):
    """How a donor is reached. A phone number or an e-mail address is needed; the code goes to the phone if given."""

    phone = TextField(
        max_length=volunteers_rules.PHONE_MAX_TYPED,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="In any spelling.",
    )
    email = TextField(max_length=volunteers_rules.EMAIL_MAX_TYPED, required=False, allow_null=True, allow_blank=True)
    language = TextField(
        max_length=20, required=False, allow_null=True, allow_blank=True, help_text="A language tag, such as en or es."
    )
    consents = ListField(
        child=ChoiceField(choices=Purpose.choices),
        required=False,
        max_length=10,
        help_text="The messages that the donor agreed to.",
    )
    self_check = ListField(
        child=TextField(max_length=40),
        required=False,
        max_length=30,
        help_text="All codes of the drive's `self_check`, or `will_ask`.",
    )
    is_for_other = BooleanField(
        required=False, default=False, help_text="The contact belongs to another person than the donor."
    )


class PersonSerializer(ContactSerializer):
    visit = ChoiceField(choices=Visit.choices)
    name = TextField(max_length=volunteers_rules.NAME_MAX_TYPED, allow_blank=True, trim_whitespace=False)


class OverrideSerializer(Serializer):
    override_reason = TextField(
        max_length=Booking._meta.get_field("override_reason").max_length,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Lets the donor give against an interval rule, and is kept with the booking. Not for public calls.",
    )


class NewBookingSerializer(OverrideSerializer, PersonSerializer):
    slot = IdField(help_text="The id of one of the drive's slots.")
    self_reported = SelfReportedSerializer(
        required=False, allow_null=True, help_text="The last donation elsewhere. The interval rules count it."
    )


class CompanionSerializer(Serializer):
    name = TextField(max_length=volunteers_rules.NAME_MAX_TYPED, allow_blank=True, trim_whitespace=False)
    visit = ChoiceField(choices=Visit.choices)


class NewPartySerializer(ContactSerializer):
    """The contact belongs to the first person, unless `is_for_other` says that it belongs to none of them."""

    slot = IdField(help_text="The arrival time of the first person.")
    people = ListField(child=CompanionSerializer(), min_length=1, max_length=20)


class CodeSerializer(Serializer):
    code = TextField(max_length=40, help_text="The six digits that were sent.")
    booking_for = ChoiceField(
        choices=[("me", "The donor owns the contact and has a new name"), ("other", "The contact belongs to another")],
        required=False,
        help_text="The answer to `other_name`: `me` gives the contact's owner the new name.",
    )


class ResendCodeSerializer(Serializer):
    by_email = BooleanField(required=False, default=False, help_text="Send it to the e-mail address, not the phone.")


class MoveSerializer(Serializer):
    slot = IdField()
    all = BooleanField(required=False, default=False, help_text="Move every member of the party, or none.")
