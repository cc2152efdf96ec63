from datetime import datetime

from django.db import transaction

from drives.capacity import locks
from notifications import contact_address
from volunteers import profile
from volunteers import queries as volunteers_queries
from volunteers.models import Volunteer


@transaction.atomic
def correct_email(*, person: Volunteer, email: str, actor: str, now: datetime) -> None:
    """Replace a donor's e-mail address, for a coordinator. Other people with the old address get the new one, too.

    Erased donors are skipped. Refuses an invalid address (`email_invalid`) and an address of another person
    (`profile.ContactTaken`). Locks: identities of these people and of the new address.
    """
    address = contact_address.normalize_email(email)
    locks.lock_contact_change([person.pk], volunteers_queries.compute_contact_identity(address))
    present = Volunteer.objects.known().select_related("organization", "email").filter(pk=person.pk).first()
    if present:
        profile.correct_email(volunteer=present, address=address, actor=actor, now=now)
