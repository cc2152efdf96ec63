"""Every kind of message, decided once: what it needs, when it leaves, how urgent it is, and what makes it useless.

Whatever queues, sends, counts, shows or explains a message reads this table. `docs/messages.md` publishes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.models import Channel, Purpose

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Way(models.TextChoices):
    """The channels of a message that a schedule may choose."""

    TEXT = "text", _("Text, else e-mail")
    MAIL = "mail", _("E-mail")
    BOTH = "both", _("Text and e-mail")


class Chosen(StrEnum):
    """What decides on the channels, where the kind does not."""

    CONTACT = "the contact in question"
    SCHEDULE = "as the schedule says"
    SENDER = "text, else e-mail, by consent"


class Basis(StrEnum):
    """Why we may write. The gate judges consent when a message leaves."""

    OWN_ACT = "own act: no consent"
    VISIT = "consent to reminders for a text, none for an e-mail"
    REMINDERS = "reminders: a yes for a text, no “no” for an e-mail"
    NEWS = "news: a yes"
    REMINDERS_OR_NEWS = "reminders if it is about the visit, else news"
    REPLY = "own act within a day of the donor’s text, then reminders"
    MEMBER = "a member of the organization: no consent"


class Quiet(StrEnum):
    """What quiet hours do to a message."""

    LEAVES = "leaves"
    WAITS = "waits for the morning"
    NEXT_MORNING = "leaves at 9:00 the next day"
    EARLIER = "planned earlier, else waits for the morning"
    TEXT_WAITS = "a text waits for the morning"
    TEXT_WAITS_IF_IT_MAY = "a text waits for the morning, except for the donor’s own act and a visit before that noon"


class Budget(StrEnum):
    """The class in which a message competes for a sender's pace and a day's budget."""

    CODES = "codes"
    BOOKING = "booking"
    REMINDERS = "reminders"
    BROADCAST = "broadcast"
    INVITATIONS = "invitations"
    NONE = "none"


class Until(StrEnum):
    """When a message becomes useless, if not after a fixed time."""

    VISIT = "the visit"
    DELAYED_VISIT = "the visit, later by the delay"
    VISIT_OR_THREE_DAYS = "the visit; as news, 3 days"
    DEADLINE = "its deadline"
    DRIVE_ENDS = "the end of the drive"
    FIRST_TIME = "the first time that it names, at most 3 days"


class Withdrawal(StrEnum):
    """What takes back a message that has not left."""

    NEWER_CODE = "a newer code"
    REVISION = "newer revision"
    CANCELLATION = "cancellation"
    OPT_OUT = "opt-out"
    STOPPED = "stopped by the coordinator"
    LEFT = "leaving the list"
    ANSWERED = "accepted, declined, taken back"
    BOOKED = "booked meanwhile"
    DRIVE_CANCELLED = "drive cancelled"


class Calls(StrEnum):
    """When a coordinator is asked to call, because no message arrived."""

    ALWAYS = "yes"
    IF_AGREED = "unless the donor wanted no messages"
    NEVER = "no"


@dataclass(frozen=True, kw_only=True)
class Kind:
    name: str
    label: "StrOrPromise"
    trigger: str
    channels: Way | Chosen
    basis: Basis
    quiet: Quiet
    budget: Budget
    useful: timedelta | Until
    withdrawn_by: tuple[Withdrawal, ...] = ()
    calls: Calls = Calls.NEVER
    calendar_method: str = ""  # of the calendar object in its e-mail
    email_replaces_text: bool = False  # a failed text is said by e-mail
    asks_for_letter: bool = False  # its text invites a reply of one letter
    ends_visit: bool = False  # it is true only of a cancelled booking

    @property
    def priority(self) -> int:
        """What leaves first: 0 before 1 before 2."""
        return PRIORITIES[self.budget]

    def consent(self, channel: str, given: str = "") -> str:
        """Return the consent that the gate asks for; blank needs none. `given`: where the sender decides."""
        by_basis = {
            Basis.VISIT: Purpose.REMINDERS if channel == Channel.SMS else "",
            Basis.REMINDERS: Purpose.REMINDERS,
            Basis.NEWS: Purpose.APPEALS,
            Basis.REMINDERS_OR_NEWS: given,
            Basis.REPLY: given,
        }
        return by_basis.get(self.basis, "")

    def keeps_quiet_hours(self, channel: str) -> bool:
        """Whether the gate holds it back in quiet hours."""
        if self.quiet in (Quiet.TEXT_WAITS, Quiet.TEXT_WAITS_IF_IT_MAY):
            return channel == Channel.SMS
        return self.quiet in (Quiet.WAITS, Quiet.NEXT_MORNING, Quiet.EARLIER)


PRIORITIES: Mapping[Budget, int] = MappingProxyType(
    {
        Budget.NONE: 0,
        Budget.CODES: 0,
        Budget.BOOKING: 0,
        Budget.REMINDERS: 1,
        Budget.BROADCAST: 1,
        Budget.INVITATIONS: 2,
    }
)


def _change(name: str, label: "StrOrPromise", trigger: str, method: str, *, ends_visit: bool = False) -> Kind:
    """A message about a change of a booking."""
    return Kind(
        name=name,
        label=label,
        trigger=trigger,
        channels=Way.BOTH,
        basis=Basis.VISIT,
        quiet=Quiet.TEXT_WAITS_IF_IT_MAY,
        budget=Budget.BOOKING,
        useful=Until.VISIT,
        withdrawn_by=(Withdrawal.REVISION,) if ends_visit else (Withdrawal.REVISION, Withdrawal.CANCELLATION),
        calls=Calls.ALWAYS,
        calendar_method=method,
        email_replaces_text=True,
        ends_visit=ends_visit,
    )


def _reminder(name: str, label: "StrOrPromise") -> Kind:
    return Kind(
        name=name,
        label=label,
        trigger="the message schedule",
        channels=Chosen.SCHEDULE,
        basis=Basis.REMINDERS,
        quiet=Quiet.EARLIER,
        budget=Budget.REMINDERS,
        useful=Until.VISIT,
        withdrawn_by=(Withdrawal.REVISION, Withdrawal.CANCELLATION, Withdrawal.OPT_OUT),
        email_replaces_text=True,
        asks_for_letter=True,
    )


def _after_visit(name: str, label: "StrOrPromise", trigger: str) -> Kind:
    return Kind(
        name=name,
        label=label,
        trigger=trigger,
        channels=Chosen.SCHEDULE,
        basis=Basis.REMINDERS,
        quiet=Quiet.NEXT_MORNING,
        budget=Budget.REMINDERS,
        useful=timedelta(days=7),
        withdrawn_by=(Withdrawal.OPT_OUT,),
    )


def _to_member(name: str, label: "StrOrPromise", trigger: str, useful: timedelta) -> Kind:
    return Kind(
        name=name,
        label=label,
        trigger=trigger,
        channels=Way.MAIL,
        basis=Basis.MEMBER,
        quiet=Quiet.LEAVES,
        budget=Budget.NONE,
        useful=useful,
    )


CODE_LIFE = timedelta(minutes=10)
CODE = Kind(
    name="code",
    label=_("Code"),
    trigger="a hold, a search, a new contact",
    channels=Chosen.CONTACT,
    basis=Basis.OWN_ACT,
    quiet=Quiet.LEAVES,
    budget=Budget.CODES,
    useful=CODE_LIFE,
    withdrawn_by=(Withdrawal.NEWER_CODE,),
)
BOOKED = Kind(
    name="booked",
    label=_("Confirmation"),
    trigger="a booking is verified, restored, or entered by a coordinator",
    channels=Chosen.SCHEDULE,
    basis=Basis.VISIT,
    quiet=Quiet.TEXT_WAITS_IF_IT_MAY,
    budget=Budget.BOOKING,
    useful=Until.VISIT,
    withdrawn_by=(Withdrawal.REVISION, Withdrawal.CANCELLATION),
    calls=Calls.IF_AGREED,
    calendar_method="REQUEST",
    email_replaces_text=True,
)
MOVED = _change("moved", _("New time"), "a booking moves to another time", "REQUEST")
RELOCATED = _change("relocated", _("New place"), "the drive moves to another site or address", "REQUEST")
CANCELLED = _change("cancelled", _("Cancellation"), "a booking is cancelled", "CANCEL", ends_visit=True)
DRIVE_CANCELLED = _change(
    "drive_cancelled", _("The drive is cancelled"), "the drive is cancelled", "CANCEL", ends_visit=True
)
WEEK = _reminder("week", _("Early reminder"))
THREE_DAYS = _reminder("three_days", _("Reminder, some days before"))
DAY_BEFORE = _reminder("day_before", _("Reminder, the day before"))
SAME_DAY = _reminder("same_day", _("Reminder on the day"))
LATE = Kind(
    name="late",
    label=_("Running late"),
    trigger="a helper at the door",
    channels=Chosen.SENDER,
    basis=Basis.REMINDERS,
    quiet=Quiet.LEAVES,
    budget=Budget.BOOKING,
    useful=Until.DELAYED_VISIT,
    withdrawn_by=(Withdrawal.CANCELLATION, Withdrawal.STOPPED, Withdrawal.OPT_OUT),
    calls=Calls.ALWAYS,
    email_replaces_text=True,
)
WAITING_JOINED = Kind(
    name="waiting_joined",
    label=_("On the waiting list"),
    trigger="a donor joins the waitlist",
    channels=Chosen.SENDER,
    basis=Basis.VISIT,
    quiet=Quiet.LEAVES,
    budget=Budget.BOOKING,
    useful=Until.DRIVE_ENDS,
    withdrawn_by=(Withdrawal.LEFT,),
)
OFFER = Kind(
    name="offer",
    label=_("A place for who waits"),
    trigger="a spot is freed",
    channels=Way.BOTH,
    basis=Basis.VISIT,
    quiet=Quiet.TEXT_WAITS,
    budget=Budget.BOOKING,
    useful=Until.DEADLINE,
    withdrawn_by=(Withdrawal.ANSWERED,),
    asks_for_letter=True,
)
WAITING_OVER = Kind(
    name="waiting_over",
    label=_("The waiting list is closed"),
    trigger="the waitlist is closed, or the drive is over",
    channels=Chosen.SENDER,
    basis=Basis.VISIT,
    quiet=Quiet.TEXT_WAITS,
    budget=Budget.BOOKING,
    useful=timedelta(days=1),
)
WAITING_ANSWER = Kind(
    name="waiting_answer",
    label=_("Answer"),
    trigger="a letter that answers an offer",
    channels=Chosen.CONTACT,
    basis=Basis.OWN_ACT,
    quiet=Quiet.LEAVES,
    budget=Budget.CODES,
    useful=timedelta(hours=1),
)
BROADCAST = Kind(
    name="broadcast",
    label=_("Message to many"),
    trigger="a coordinator",
    channels=Chosen.SENDER,
    basis=Basis.REMINDERS_OR_NEWS,
    quiet=Quiet.WAITS,
    budget=Budget.BROADCAST,
    useful=Until.VISIT_OR_THREE_DAYS,
    withdrawn_by=(Withdrawal.CANCELLATION, Withdrawal.STOPPED, Withdrawal.OPT_OUT),
    email_replaces_text=True,
)
THANK_YOU = _after_visit("thank_you", _("Thanks"), "close-out, for donors who came")
MISSED = _after_visit("missed", _("We missed you"), "close-out, for donors who did not come")
INVITATION = Kind(
    name="appeal",
    label=_("You may give again"),
    trigger="a sweep, while a drive has open times",
    channels=Chosen.SENDER,
    basis=Basis.NEWS,
    quiet=Quiet.WAITS,
    budget=Budget.INVITATIONS,
    useful=Until.FIRST_TIME,
    withdrawn_by=(Withdrawal.BOOKED, Withdrawal.DRIVE_CANCELLED, Withdrawal.OPT_OUT),
)
ANSWER = Kind(
    name="answer",
    label=_("Answer"),
    trigger="a coordinator answers a donor’s text",
    channels=Chosen.CONTACT,
    basis=Basis.REPLY,
    quiet=Quiet.LEAVES,
    budget=Budget.CODES,
    useful=timedelta(hours=1),
)
ALERT_CANCELLATION = _to_member(
    "alert_cancellation", _("Note to coordinators"), "a cancellation close to the drive", timedelta(days=1)
)
ALERT_UNDER_FILLED = _to_member(
    "alert_under_filled", _("Note to coordinators"), "a week before a drive with many open times", timedelta(days=1)
)
ACCOUNT = _to_member("account", _("Account"), "a password reset, an invitation of a member", timedelta(days=1))
TEST = _to_member("test", _("Test"), "a coordinator tries the words of a message", timedelta(hours=1))

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            *(CODE, BOOKED, MOVED, RELOCATED, CANCELLED, DRIVE_CANCELLED, WEEK, THREE_DAYS, DAY_BEFORE, SAME_DAY),
            *(LATE, WAITING_JOINED, OFFER, WAITING_OVER, WAITING_ANSWER, BROADCAST, THANK_YOU, MISSED, INVITATION),
            *(ANSWER, ALERT_CANCELLATION, ALERT_UNDER_FILLED, ACCOUNT, TEST),
        )
    }
)


def names(wanted: Callable[[Kind], bool]) -> tuple[str, ...]:
    return tuple(kind.name for kind in KINDS.values() if wanted(kind))


def withdrawn_by(cause: Withdrawal) -> tuple[str, ...]:
    return names(lambda kind: cause in kind.withdrawn_by)
