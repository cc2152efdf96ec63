"""API serializers for organizations, sites, causes, centers and policies."""

from typing import ClassVar

from rest_framework.serializers import ListField

from drives.api.fields import TextField
from drives.api.serializers import ModelSerializer
from drives.models import CollectionCenter, Policy
from drives.public.serializers import (
    MIN_DAYS_HELP,
    MIN_HOURS_HELP,
    CauseStorySerializer,
    SiteNameSerializer,
    WindowSerializer,
)
from organizations.models import CauseFact, Organization


class OrganizationSerializer(ModelSerializer[Organization]):
    """A foundation that runs drives. Its legal name is shown to donors."""

    class Meta:
        model = Organization
        fields = ("id", "slug", "name", "legal_name", "email", "phone", "website", "language")
        read_only_fields = fields


class SiteSerializer(SiteNameSerializer):
    """A site of the organization. Drives at the site use its time zone."""

    class Meta(SiteNameSerializer.Meta):
        fields = ("id", *SiteNameSerializer.Meta.fields, "country", "map_url", "arrival_note")
        read_only_fields = fields


class FactSerializer(ModelSerializer[CauseFact]):
    """A fact about a cause, with its source."""

    source = TextField(source="source_name")  # type: ignore[assignment]
    url = TextField(source="source_url")

    class Meta:
        model = CauseFact
        fields = ("text", "source", "url")
        read_only_fields = fields


class CauseSerializer(CauseStorySerializer):
    """A cause with its facts."""

    facts = FactSerializer(many=True)

    class Meta(CauseStorySerializer.Meta):
        fields = ("id", *CauseStorySerializer.Meta.fields, "summary", "facts")
        read_only_fields = fields


class CenterSerializer(ModelSerializer[CollectionCenter]):
    """A licensed center that collects plasma."""

    class Meta:
        model = CollectionCenter
        fields = ("id", "name", "phone", "required_documents", "website")
        read_only_fields = fields


class PolicySerializer(ModelSerializer[Policy]):
    """One version of a program's donation rules, with the usual length of a visit."""

    windows = WindowSerializer(many=True)
    self_check = ListField(child=TextField(), help_text="The codes of the self-check.")

    class Meta:
        model = Policy
        fields = (
            "id",
            "code",
            "version",
            "name",
            "source",
            "min_hours",
            "min_days",
            "windows",
            "self_check",
            "first_minutes",
            "return_minutes",
            "verified",
        )
        read_only_fields = fields
        extra_kwargs: ClassVar = {
            "source": {"help_text": "Where the rules are published."},
            "min_hours": {"help_text": MIN_HOURS_HELP},
            "min_days": {"help_text": MIN_DAYS_HELP},
        }
