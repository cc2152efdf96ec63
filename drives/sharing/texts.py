"""Texts for coordinators to copy into messages and mail, in each language."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from drives.domain import localtime
from drives.models import Drive
from drives.web import links


@dataclass(frozen=True)
class ShareText:
    language: str
    language_name: str
    message: str
    subject: str
    mail: str

    @property
    def whatsapp_link(self) -> str:
        return links.build_whatsapp_link(self.message)

    @property
    def mail_link(self) -> str:
        return links.build_mail_link(self.subject, self.mail)


def list_share_texts(drive: Drive, address: str) -> Iterator[ShareText]:
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            name = translation.get_language_info(language)["name_local"].capitalize()
            yield _build_share_text(drive, address, language, name)


def _build_share_text(drive: Drive, address: str, language: str, language_name: str) -> ShareText:
    zone, site = drive.site.timezone, drive.site
    facts = {
        "title": str(drive.title),
        "day": localtime.format_long_day(drive.starts_at, zone),
        "from": localtime.format_time(drive.starts_at, zone),
        "until": localtime.format_time(drive.ends_at, zone),
        "place": site.name,
        "address": site.full_address,
        "city": site.city,
        "link": address,
        "organization": drive.organization.name,
    }
    message = _("Give plasma with us on %(day)s at %(place)s, %(city)s. Choose a time here: %(link)s") % facts
    paragraphs = [
        _("Hello,"),
        _(
            "We’re holding a plasma drive on %(day)s, from %(from)s to %(until)s, at %(place)s, %(address)s. Will you"
            " come and give plasma?"
        )
        % facts,
        str(drive.cause.summary) if drive.cause else "",
        _("Choose a time here. It takes a minute, and you don’t need an account: %(link)s") % facts,
        _("Thank you!"),
        drive.organization.name,
    ]
    mail = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
    return ShareText(language, language_name, message, _("%(title)s: %(day)s") % facts, mail)
