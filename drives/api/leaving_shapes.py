"""The shapes of what is said about somebody who leaves, or asks for their data."""

from rest_framework import serializers
from rest_framework.serializers import CharField, DateTimeField, IntegerField, ListField

from drives.api.shapes import Shape


class Erased(Shape):
    id = CharField()
    erased_at = DateTimeField(help_text="The first time, if it was asked twice.")
    cancelled = IntegerField(help_text="Bookings that were still to come.")


class Export(Shape):
    """All that is held about a person; the members of each part are in docs/api/README.md. Times are UTC."""

    format = CharField(help_text="plasma-drive-export/1; the number rises when a member changes its meaning.")
    exported_at = DateTimeField()
    titles = serializers.DictField(child=CharField(), help_text="What the parts are called, for people.")
    organization = serializers.DictField(child=CharField())
    person = serializers.DictField()
    bookings = ListField(child=serializers.DictField())
    waiting = ListField(child=serializers.DictField())
    stated_donations = ListField(child=serializers.DictField())
    registrations = ListField(child=serializers.DictField())
    consents = ListField(child=serializers.DictField())
    stopped = ListField(child=serializers.DictField())
    messages = ListField(child=serializers.DictField())
    replies = ListField(child=serializers.DictField())
    conversations = ListField(child=serializers.DictField())
    proofs = ListField(child=serializers.DictField())
    audit = ListField(child=serializers.DictField())
