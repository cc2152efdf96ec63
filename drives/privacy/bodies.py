"""What a request to erase a volunteer may carry."""

from typing import Any

from rest_framework import serializers

from drives.api.fields import ChoiceField
from drives.privacy.erase import Because


class EraseBody(serializers.Serializer[Any]):
    """Why somebody is erased; the audit log keeps it."""

    because = ChoiceField(choices=[Because.ASKED, Because.MISTAKE], required=False, default=Because.ASKED)
