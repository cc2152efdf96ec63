from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework.serializers import DateField, DateTimeField, IntegerField, SerializerMethodField

from drives.api.fields import ChoiceField, IdField, LinkField, TextField
from drives.api.serializers import ModelSerializer, QuerySerializer, Serializer, SiteTimesSerializer
from drives.capacity import visit_length
from drives.eligibility import self_check as eligibility_self_check
from drives.models import DriveState, Site, Visit
from drives.public.queries import DriveSummary
from organizations.models import Cause, Organization

MIN_HOURS_HELP = "At least this many hours between two donations."
MIN_DAYS_HELP = "At least this many days between two donations."


class OrganizationNameSerializer(ModelSerializer[Organization]):
    """The organization that runs a drive."""

    class Meta:
        model = Organization
        fields: tuple[str, ...] = ("slug", "name")
        read_only_fields = fields


class SiteNameSerializer(ModelSerializer[Site]):
    """The site of a drive."""

    address = TextField(source="full_address", help_text="The whole address on one line.")

    class Meta:
        model = Site
        fields: tuple[str, ...] = ("name", "address", "city", "timezone")
        read_only_fields = fields


class DriveSerializer(SiteTimesSerializer, Serializer):
    """A drive in a list."""

    id = IdField(source="drive.pk")
    slug = TextField(source="drive.slug")
    title = TextField(source="drive.title")
    status = ChoiceField(source="drive.state", choices=DriveState.choices)
    organization = OrganizationNameSerializer(source="drive.organization")
    site = SiteNameSerializer(source="drive.site")
    starts_at = DateTimeField(source="drive.starts_at")
    ends_at = DateTimeField(source="drive.ends_at")
    spots_left = IntegerField(help_text="How many return visits still fit. First visits take longer, so fewer fit.")
    url = LinkField("/d/{}/", source="drive.slug")


class CauseStorySerializer(ModelSerializer[Cause]):
    """The cause that a drive supports."""

    class Meta:
        model = Cause
        fields: tuple[str, ...] = ("title", "story", "condition", "need", "learn_more_url", "give_url", "run_url")
        read_only_fields = fields


class WindowSerializer(Serializer):
    """At most `count` donations in any `days` days."""

    count = IntegerField()
    days = IntegerField()

    def to_representation(self, instance: tuple[int, int]) -> dict[str, int]:
        return dict(zip(self.fields, instance, strict=True))


class DrivePolicySerializer(Serializer):
    """The donation rules of a drive: its policy, plus the drive's own stricter rules."""

    code = TextField(source="policy.code")
    version = IntegerField(source="policy.version")
    name = TextField(source="policy.name")
    source = TextField(source="policy.source")  # type: ignore[assignment]
    min_hours = IntegerField(source="rules.min_hours", allow_null=True, help_text=MIN_HOURS_HELP)
    min_days = IntegerField(source="rules.min_days", allow_null=True, help_text=MIN_DAYS_HELP)
    windows = WindowSerializer(source="rules.windows", many=True)


class SelfCheckItemSerializer(Serializer):
    """One sentence of the self-check. A booking sends its `code`."""

    code = TextField()
    text = TextField()

    def to_representation(self, instance: str) -> dict[str, str]:
        return {"code": instance, "text": eligibility_self_check.format_self_check_code(instance)}


class VisitLengthSerializer(Serializer):
    """How long a visit takes."""

    type = ChoiceField(choices=Visit.choices)
    minutes = IntegerField()


class DriveDetailSerializer(DriveSerializer):
    """A drive with the details that a donor needs before booking."""

    description = TextField(source="drive.description")
    cause = CauseStorySerializer(source="drive.cause", allow_null=True)
    policy = DrivePolicySerializer(source="drive")
    self_check = SelfCheckItemSerializer(source="drive.policy.self_check", many=True)
    visits = SerializerMethodField()

    @extend_schema_field(VisitLengthSerializer(many=True))
    def get_visits(self, summary: DriveSummary) -> list[dict[str, Any]]:
        minutes = visit_length.compute_visit_minutes
        return [{"type": str(visit), "minutes": minutes(summary.drive, visit)} for visit in (Visit.FIRST, Visit.RETURN)]


class DrivesQuerySerializer(QuerySerializer):
    """The parameters of the list of drives. Days are local to the site."""

    organization = TextField(max_length=60, required=False, allow_blank=True, help_text="The organization's slug.")
    city = TextField(max_length=80, required=False, allow_blank=True, help_text="The city of the site.")
    status = ChoiceField(
        choices=DriveState.choices, required=False, help_text="Any state but `published` needs a key or a session."
    )

    def get_fields(self) -> dict[str, Any]:
        # "from" is a Python keyword.
        days = {
            "from": DateField(required=False, help_text="Only drives on or after this day."),
            "to": DateField(required=False, help_text="Only drives on or before this day."),
        }
        return {**super().get_fields(), **days}


class SlotsQuerySerializer(QuerySerializer):
    """The parameters of the list of slots."""

    visit = ChoiceField(choices=Visit.choices, required=False, help_text="Defaults to `return`.")
