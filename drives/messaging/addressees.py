"""Donors as messages address them."""

from notifications.envelopes import Addressee
from notifications.models import Channel
from volunteers.models import Volunteer


def build_addressee(person: Volunteer | None) -> Addressee:
    """Return the person with every contact that we know, the phone first; an erased person has none."""
    if person is None:
        return Addressee(())
    known = [(Channel.SMS, person.phone), (Channel.EMAIL, person.email)]
    contacts = [(channel, contact.address) for channel, contact in known if contact is not None]
    return Addressee(contacts, f"volunteer:{person.pk}", person.language)
