"""The records that a plan is made of, in the API."""

from rest_framework.serializers import ListField

from drives.api.fields import TextField
from drives.api.serializers import ModelSerializer
from drives.models import CollectionCenter, Policy
from drives.public.serializers import (
    CauseStorySerializer,
    SiteNameSerializer,
    WindowSerializer,
)
from organizations.models import CauseFact, Organization


class OrganizationSerializer(ModelSerializer[Organization]):
    class Meta:
        model = Organization
        fields = ("id", "slug", "name", "legal_name", "email", "phone", "website", "language")
        read_only_fields = fields


class SiteSerializer(SiteNameSerializer):
    class Meta(SiteNameSerializer.Meta):
        fields = ("id", *SiteNameSerializer.Meta.fields, "country", "map_url", "arrival_note")
        read_only_fields = fields


class FactSerializer(ModelSerializer[CauseFact]):
    source = TextField(source="source_name")  # type: ignore[assignment]
    url = TextField(source="source_url")

    class Meta:
        model = CauseFact
        fields = ("text", "source", "url")
        read_only_fields = fields


class CauseSerializer(CauseStorySerializer):
    facts = FactSerializer(many=True)

    class Meta(CauseStorySerializer.Meta):
        fields = ("id", *CauseStorySerializer.Meta.fields, "strip", "facts")
        read_only_fields = fields


class CenterSerializer(ModelSerializer[CollectionCenter]):
    class Meta:
        model = CollectionCenter
        fields = ("id", "name", "phone", "required_documents", "website")
        read_only_fields = fields


class PolicySerializer(ModelSerializer[Policy]):
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
