"""The steps of the guided set-up, with their purposes. `drives.settings.setup` finds the steps that are done."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class SetupStep:
    code: str
    title: "StrOrPromise"
    reason: "StrOrPromise"
    page: str  # the URL name
    argument: str = ""
    may_be_skipped: bool = True

    @property
    def url(self) -> str:
        path = reverse(self.page, args=[self.argument] if self.argument else [])
        return f"{path}?setup={self.code}"


STEPS = (
    SetupStep(
        "name",
        _("Names"),
        _("Donors see the name on every page. The terms show the legal name, and carriers ask to see the terms."),
        "organizer_settings_page",
        "name",
        may_be_skipped=False,
    ),
    SetupStep(
        "contact",
        _("Phone, e-mail and website"),
        _("Donors with questions call or write to you. Replies to our e-mails go to this address."),
        "organizer_settings_page",
        "contact",
        may_be_skipped=False,
    ),
    SetupStep(
        "region",
        _("Language, country and time zone"),
        _(
            "You write your messages and pages in this language first. The country decides which donation programs we "
            "offer you first."
        ),
        "organizer_settings_page",
        "region",
        may_be_skipped=False,
    ),
    SetupStep(
        "look",
        _("Logo and color"),
        _("Your logo and color help donors recognize you. The buttons and links on your pages use this color."),
        "organizer_settings_page",
        "look",
    ),
    SetupStep(
        "site",
        _("First location"),
        _("A drive takes place at a location. Reminders name it, and we show all times in its time zone."),
        "organizer_new_site",
        may_be_skipped=False,
    ),
    SetupStep(
        "center",
        _("Collection center"),
        _("The licensed center collects the plasma. Donors see what it asks them to bring."),
        "organizer_new_center",
    ),
    SetupStep(
        "cause",
        _("Cause"),
        _("People give for a reason. The cause says in one sentence who the drive honors."),
        "organizer_new_cause",
    ),
    SetupStep(
        "program",
        _("Donation program"),
        _(
            "Its rules say how often a person may donate, so every drive needs one. Ask your center which program it"
            " follows."
        ),
        "organizer_settings_page",
        "program",
        may_be_skipped=False,
    ),
    SetupStep(
        "texting",
        _("Text messages and e-mail"),
        _("Carriers block texts from numbers that are not registered. The registration takes days, so start early."),
        "organizer_texting",
    ),
    SetupStep(
        "members",
        _("Colleagues"),
        _("If you have a second owner, you can’t get locked out. People who check donors in need an account, too."),
        "organizer_invite_member",
    ),
    SetupStep(
        "drive",
        _("First drive"),
        _("Choose the day and the hours. Donors can book only after you publish the drive."),
        "organizer_new_drive",
        may_be_skipped=False,
    ),
)
BY_CODE = {step.code: step for step in STEPS}
