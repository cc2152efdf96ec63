"""An erased volunteer as the API answers it."""

from drives.api import answers as api_answers
from drives.api.answers import Answer
from volunteers.models import Volunteer


def erased(person: Volunteer, cancelled_count: int) -> Answer:
    """That somebody is nobody any more."""
    at_ = person.erased_at
    return {"id": str(person.pk), "erased_at": at_ and api_answers.at(at_, "UTC"), "cancelled": cancelled_count}
