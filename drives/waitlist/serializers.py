from typing import Any

from rest_framework.serializers import DateTimeField, IntegerField

from drives.api.fields import ChoiceField, IdField, LinkField, TextField
from drives.api.serializers import ModelSerializer, Serializer, SiteTimesSerializer
from drives.booking.serializers import PersonSerializer
from drives.models import Offer, Visit, WaitlistEntryState


class ArrivalWindowSerializer(Serializer):
    """The times at which the donor can arrive: at or after `from`, and before `to`. Null means no limit."""

    def get_fields(self) -> dict[str, Any]:
        # "from" is a Python keyword.
        return {
            name: DateTimeField(source=f"window_{name}", required=False, allow_null=True) for name in ("from", "to")
        }


class OfferSerializer(ModelSerializer[Offer]):
    """A freed spot that is reserved for the donor until `deadline`."""

    url = LinkField("/offer/{}/", source="token")

    class Meta:
        model = Offer
        fields = ("starts_at", "deadline", "url")
        read_only_fields = fields


class WaitlistEntrySerializer(SiteTimesSerializer, Serializer):
    """A waitlist entry, as shown to a client with its token. It contains no donor data."""

    zone_source = "entry.drive.site.timezone"

    id = IdField(source="entry.pk")
    state = ChoiceField(source="entry.state", choices=WaitlistEntryState.choices)
    held_until = DateTimeField(source="entry.held_until", allow_null=True)
    position = IntegerField(help_text="1 for the first donor on the waitlist, 0 for an entry that is not on it.")
    visit = ChoiceField(source="entry.visit", choices=Visit.choices)
    drive = IdField(source="entry.drive_id")
    window = ArrivalWindowSerializer(source="entry")
    timezone = TextField(source="entry.drive.site.timezone")
    offer = OfferSerializer(allow_null=True, help_text="The open offer, if there is one.")
    url = LinkField("/w/{}/", source="entry.token")
    token = TextField(source="entry.token", help_text="Gives access to the entry without a key. Keep it secret.")


class NewWaitlistEntrySerializer(PersonSerializer):
    """A donor and their arrival times. A phone number or an e-mail address is required."""

    def get_fields(self) -> dict[str, Any]:
        window = {name: DateTimeField(required=False, allow_null=True) for name in ("from", "to")}
        return {**super().get_fields(), **window}


class ClosedWaitlistSerializer(Serializer):
    """The result of closing a waitlist."""

    waited = IntegerField(help_text="How many donors were on the waitlist; 0 if it was already closed.")
