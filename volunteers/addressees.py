"""Convert volunteers' contacts to the form that messages need."""

from notifications.envelopes import Addressee
from notifications.models import Channel
from volunteers.models import Contact, Volunteer


def build_addressee(volunteer: Volunteer | None) -> Addressee:
    if volunteer is None:
        return Addressee(())
    contacts_by_channel = [(Channel.SMS, volunteer.phone), (Channel.EMAIL, volunteer.email)]
    contacts = [(channel, contact.address) for channel, contact in contacts_by_channel if contact is not None]
    unverified = [channel for channel, contact in contacts_by_channel if contact and not _is_known(contact)]
    return Addressee(contacts, f"volunteer:{volunteer.pk}", volunteer.language, frozenset(unverified))


def _is_known(contact: Contact) -> bool:
    # Any other contact was typed by an unverified person and may belong to a stranger.
    return contact.verified_at is not None or contact.owner_id is not None
