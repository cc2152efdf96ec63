from notifications.envelopes import Addressee
from notifications.models import Channel
from volunteers.models import Volunteer


def build_addressee(volunteer: Volunteer | None) -> Addressee:
    """Return the volunteer's contacts, the phone first. An erased volunteer has none."""
    if volunteer is None:
        return Addressee(())
    contacts_by_channel = [(Channel.SMS, volunteer.phone), (Channel.EMAIL, volunteer.email)]
    contacts = [(channel, contact.address) for channel, contact in contacts_by_channel if contact is not None]
    return Addressee(contacts, f"volunteer:{volunteer.pk}", volunteer.language)
