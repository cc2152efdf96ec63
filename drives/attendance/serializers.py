from dataclasses import fields
from typing import Any

from rest_framework.serializers import BooleanField, DateTimeField, IntegerField

from drives.api.fields import ChoiceField, IdField, TextField
from drives.api.serializers import ModelSerializer, Serializer, SiteTimesSerializer
from drives.attendance.turnout import TurnoutNumbers
from drives.booking.serializers import OverrideSerializer
from drives.models import OUTCOMES, Booking, BookingState, Visit
from notifications.models import Message
from volunteers import rules as volunteers_rules


class DayBookingSerializer(SiteTimesSerializer, ModelSerializer[Booking]):
    """A booking as check-in helpers see it, with the donor's name and contacts."""

    volunteer = IdField(
        source="volunteer_id", help_text="The donor's `id`, for `volunteers/{id}/export/` and `erase/`."
    )
    slot = IdField(source="arrival_id")
    timezone = TextField(source="drive.site.timezone")
    name = TextField(source="volunteer.name")
    phone = TextField(source="volunteer.phone.address", allow_null=True)
    email = TextField(source="volunteer.email.address", allow_null=True)

    class Meta:
        model = Booking
        fields: tuple[str, ...] = (
            "id",
            "volunteer",
            "reference",
            "state",
            "source",
            "visit",
            "drive",
            "slot",
            "starts_at",
            "timezone",
            "name",
            "phone",
            "email",
            "checked_in_at",
            "outcome_at",
            "override_reason",
        )
        read_only_fields = fields


class MessageStateSerializer(ModelSerializer[Message]):
    """The state of one message about a booking."""

    class Meta:
        model = Message
        fields = ("kind", "channel", "state")
        read_only_fields = fields


class RosterRowSerializer(DayBookingSerializer):
    """A booking with its messages."""

    messages = MessageStateSerializer(many=True)

    class Meta(DayBookingSerializer.Meta):
        fields = (*DayBookingSerializer.Meta.fields, "messages")
        read_only_fields = fields

    def to_representation(self, instance: Any) -> dict[str, Any]:
        messages = self.fields["messages"].to_representation(instance.messages)
        return {**DayBookingSerializer.write(instance.booking), "messages": messages}


class SeenSerializer(Serializer):
    """The booking's state, as the client last read it."""

    seen = ChoiceField(
        choices=BookingState.choices,
        required=False,
        help_text="The booking's state as the client last read it. If the state has changed since, for example "
        "because an earlier attempt of this call succeeded, nothing changes.",
    )


class CheckInSerializer(OverrideSerializer, SeenSerializer):
    """The reason to override an interval rule, if there is one."""


class OutcomeSerializer(SeenSerializer):
    """How a visit ended."""

    outcome = ChoiceField(choices=sorted({*OUTCOMES, BookingState.NO_SHOW}))
    at = DateTimeField(required=False, allow_null=True, help_text="When it happened, if it was not just now.")


class UndoSerializer(OverrideSerializer):
    """The state to undo, and the reason to override an interval rule, if there is one."""

    seen = ChoiceField(
        choices=BookingState.choices,
        help_text="The booking's state as the client last read it. If the state has changed since, for example "
        "because an earlier attempt of this call succeeded, nothing is undone.",
    )


class NewWalkInSerializer(OverrideSerializer):
    """A walk-in: a donor without a booking."""

    name = TextField(max_length=volunteers_rules.NAME_MAX_TYPED, allow_blank=True)
    visit = ChoiceField(choices=Visit.choices)
    phone = TextField(max_length=volunteers_rules.PHONE_MAX_TYPED, required=False, allow_null=True, allow_blank=True)
    email = TextField(max_length=volunteers_rules.EMAIL_MAX_TYPED, required=False, allow_null=True, allow_blank=True)


class TurnoutCountsSerializer(Serializer):
    """The number of bookings with each outcome. `unresolved` counts checked-in donors without an outcome."""

    def get_fields(self) -> dict[str, Any]:
        return {count.name.removesuffix("_count"): IntegerField(source=count.name) for count in fields(TurnoutNumbers)}


class TurnoutSerializer(SiteTimesSerializer, Serializer):
    """The turnout figures of a drive."""

    drive = IdField(source="drive.pk")
    final = BooleanField(help_text="True when the drive is completed and the numbers no longer change.")
    closed_out_at = DateTimeField(
        source="drive.closed_out_at", allow_null=True, help_text="When no-shows were marked after the end of the drive."
    )
    timezone = TextField(source="drive.site.timezone")
    goal = IntegerField(source="drive.goal", allow_null=True, help_text="The donation goal.")
    counts = TurnoutCountsSerializer()
