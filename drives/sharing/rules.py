from django.utils.translation import gettext as _

from drives.refusals import Reason

MAX_LINKS = 60  # for each drive


def build_too_many_links_reason() -> Reason:
    return Reason("too_many_links", _("A drive can have up to 60 links. Remove one that you don’t need."))


def build_name_taken_reason() -> Reason:
    return Reason("link_name_taken", _("This drive already has a link with that name. Choose another name."))


def build_link_used_reason() -> Reason:
    return Reason("link_used", _("Donors have booked through this link, so you can’t remove it."))
