"""Convert donors' contacts to the form that messages need."""

from collections.abc import Collection, Mapping

from drives.models import Booking
from notifications import queries as notifications_queries
from notifications.envelopes import Addressee
from notifications.models import Channel, Purpose
from volunteers.models import Contact, Volunteer


def may_be_texted(phone: Contact | None, consents: Mapping[tuple[str, str], bool], suppressed: Collection[str]) -> bool:
    """Return whether texts about a booking or an entry may be sent, by the same rules as `claim.admit_messages`."""
    if phone is None or phone.address in suppressed or notifications_queries.has_ended_texts(consents, phone.address):
        return False
    return _is_known(phone) or consents.get((phone.address, Purpose.REMINDERS), False)


def load_may_be_texted(booking: Booking) -> bool:
    phone, organization = booking.volunteer.phone if booking.volunteer else None, booking.drive.organization
    if phone is None:
        return False
    consents = notifications_queries.load_consents(organization, [phone.address])
    suppressed = notifications_queries.list_suppressed_addresses(organization, [phone.address])
    return may_be_texted(phone, consents, suppressed)


def build_addressee(volunteer: Volunteer | None) -> Addressee:
    if volunteer is None:
        return Addressee(())
    contacts_by_channel = [(Channel.SMS, volunteer.phone), (Channel.EMAIL, volunteer.email)]
    contacts = [(channel, contact.address) for channel, contact in contacts_by_channel if contact is not None]
    unverified = volunteer.phone.address if volunteer.phone and not _is_known(volunteer.phone) else ""
    return Addressee(contacts, f"volunteer:{volunteer.pk}", volunteer.language, unverified)


def _is_known(phone: Contact) -> bool:
    # Any other number was typed by an unverified person and may belong to a stranger.
    return phone.verified_at is not None or phone.owner_id is not None
