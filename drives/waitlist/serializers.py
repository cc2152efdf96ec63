"""Waitlist entries in the API."""

from typing import Any

from rest_framework.serializers import DateTimeField, IntegerField

from drives.api.fields import ChoiceField, IdField, LinkField, TextField
from drives.api.serializers import ModelSerializer, Serializer, SiteTimesSerializer
from drives.booking.serializers import PersonSerializer
from drives.models import Offer, Visit, WaitlistEntryState


class ArrivalWindowSerializer(Serializer):
    """The arrival times that suit the donor: at or after `from`, and before `to`. Null is any time."""

    def get_fields(self) -> dict[str, Any]:
        # "from" is a keyword of Python.
        return {
            name: DateTimeField(source=f"window_{name}", required=False, allow_null=True) for name in ("from", "to")
        }


class OfferSerializer(ModelSerializer[Offer]):
    url = LinkField("/offer/{}/", source="token")

    class Meta:
        model = Offer
        fields = ("starts_at", "deadline", "url")
        read_only_fields = fields


class WaitlistEntrySerializer(SiteTimesSerializer, Serializer):
    """A `WaitlistPage`, for the holder of the entry's token. It tells nothing about the donor."""

    zone_source = "entry.drive.site.timezone"

    id = IdField(source="entry.pk")
    state = ChoiceField(source="entry.state", choices=WaitlistEntryState.choices)
    held_until = DateTimeField(source="entry.held_until", allow_null=True)
    position = IntegerField(help_text="1 for the first on the waitlist, 0 for an entry that is not on it.")
    visit = ChoiceField(source="entry.visit", choices=Visit.choices)
    drive = IdField(source="entry.drive_id")
    window = ArrivalWindowSerializer(source="entry")
    timezone = TextField(source="entry.drive.site.timezone")
    offer = OfferSerializer(allow_null=True, help_text="The slot that is kept for the entry until `deadline`.")
    url = LinkField("/w/{}/", source="entry.token")
    token = TextField(source="entry.token", help_text="Opens the entry. Keep it like a password.")


class NewWaitlistEntrySerializer(PersonSerializer):
    """A donor, and which arrival times suit them."""

    def get_fields(self) -> dict[str, Any]:
        window = {name: DateTimeField(required=False, allow_null=True) for name in ("from", "to")}
        return {**super().get_fields(), **window}


class ClosedWaitlistSerializer(Serializer):
    waited = IntegerField(help_text="How many donors were on it; 0 when it is closed again.")
