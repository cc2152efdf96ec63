"""What a request to erase a volunteer may carry."""

from typing import Any

from rest_framework import serializers

from drives.api.bodies import Choice
from drives.privacy.erase import Because


class EraseBody(serializers.Serializer[Any]):
    """Why somebody is erased; the audit log keeps it."""

    because = Choice(choices=[Because.ASKED, Because.MISTAKE], required=False, default=Because.ASKED)
