from rest_framework.serializers import CharField, DateTimeField, DictField, IntegerField, ListField

from drives.api.fields import ChoiceField, IdField
from drives.api.serializers import Serializer
from drives.privacy.erase import ErasureReason


class EraseSerializer(Serializer):
    """The reason for erasing the volunteer."""

    because = ChoiceField(
        choices=[ErasureReason.ASKED, ErasureReason.MISTAKE],
        required=False,
        default=ErasureReason.ASKED,
        help_text="The reason in the audit log: `asked` (the person asked for it) or `mistake` (a wrong record).",
    )


class ErasedSerializer(Serializer):
    """The result of an erasure."""

    id = IdField(source="volunteer.pk")
    erased_at = DateTimeField(
        source="volunteer.erased_at", help_text="If the call was repeated, the time of the first call."
    )
    cancelled = IntegerField(source="cancelled_count", help_text="How many upcoming bookings were cancelled.")


class ExportSerializer(Serializer):
    """Everything we store about a volunteer. Times are in UTC. docs/api/README.md lists the fields of each part."""

    format = CharField(help_text="`plasma-drive-export/1`. The number rises when the meaning of a member changes.")
    exported_at = DateTimeField()
    titles = DictField(child=CharField(), help_text="A heading for each part, for people.")
    organization = DictField(child=CharField())
    person = DictField()
    bookings = ListField(child=DictField())
    waitlist_entries = ListField(child=DictField())
    self_reported_donations = ListField(child=DictField())
    registrations = ListField(child=DictField())
    consents = ListField(child=DictField())
    opt_outs = ListField(child=DictField())
    messages = ListField(child=DictField())
    replies = ListField(child=DictField())
    conversations = ListField(child=DictField())
    verified_browsers = ListField(child=DictField())
    audit = ListField(child=DictField())
