"""The text of an invitation from a donor to a friend. It contains nothing about the donor's booking."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from drives.domain import localtime
from drives.models import Drive
from drives.web import links


@dataclass(frozen=True)
class FriendInvitation:
    address: str
    subject: str
    message: str

    @property
    def whatsapp_link(self) -> str:
        return links.build_whatsapp_link(self.message)

    @property
    def mail_link(self) -> str:
        return links.build_mail_link(self.subject, self.message)


def build_friend_invitation(drive: Drive) -> FriendInvitation:
    address = links.build_link("drive", drive.slug)
    facts = {
        "day": localtime.format_long_day(drive.starts_at, drive.site.timezone),
        "place": drive.site.name,
        "city": drive.site.city,
        "link": address,
    }
    message = (
        _("I’m giving plasma on %(day)s at %(place)s, %(city)s. Come with me! Choose a time here: %(link)s") % facts
    )
    return FriendInvitation(address, str(drive.title), message)
