"""The table of message kinds: channels, consent, quiet hours, priority, expiry and withdrawal of each.

Every module that queues, sends, counts, shows or explains messages reads this table. `docs/messages.md` publishes the
same table, and a test compares them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications import rules
from notifications.models import Channel, Purpose

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class ChannelChoice(models.TextChoices):
    TEXT = "text", _("Text, or e-mail if we can’t text")
    MAIL = "mail", _("E-mail")
    BOTH = "both", _("Text and e-mail")


class ChannelRule(StrEnum):
    """How to choose the channels of a message if its kind does not have fixed channels."""

    CONTACT = "the contact in question"
    SCHEDULE = "as the schedule says"
    SENDER = "text if allowed, else e-mail"


class Basis(StrEnum):
    """Why we may send messages of a kind. `claim.admit_messages` checks any required consent before sending."""

    OWN_ACT = "the donor’s own action: no consent"
    JOINED = "asked for by joining the waitlist: no consent"
    CHANGE = "transactional: every booked donor, no consent"
    REMINDERS = "reminders: a consent for a text; for an e-mail, no opt-out"
    NEWS = "news: a consent"
    CHANGE_OR_NEWS = "transactional if it is about the visit, else news: a consent"
    REPLY = "no consent within a day of the donor’s text, then reminders"
    MEMBER = "a member of the organization: no consent"


class QuietRule(StrEnum):
    LEAVES = "sent at any hour"
    WAITS = "waits for the morning"
    NEXT_MORNING = "sent at 9:00 the next day"
    EARLIER = "scheduled earlier, or else waits for the morning"
    TEXT_WAITS = "a text waits for the morning"
    TEXT_MAY_WAIT = "a text waits for the morning, unless the donor made the change or the visit is before that noon"


class Budget(StrEnum):
    """Which messages go first if a rate limit or a daily budget is not enough for all (see `PRIORITIES`)."""

    CODES = "codes"
    BOOKING = "booking"
    REMINDERS = "reminders"
    BROADCAST = "broadcast"
    INVITATIONS = "invitations"
    NONE = "none"


class UsefulUntil(StrEnum):
    VISIT = "the visit"
    DELAYED_VISIT = "the visit plus the delay"
    VISIT_OR_THREE_DAYS = "the visit; as news, 3 days"
    DEADLINE = "its deadline"
    DRIVE_ENDS = "the end of the drive"
    FIRST_TIME = "the first time in the text, at most 3 days"


class Withdrawal(StrEnum):
    NEWER_CODE = "a newer code"
    REVISION = "newer revision"
    CANCELLATION = "cancellation"
    OPT_OUT = "opt-out"
    STOPPED = "stopped by the coordinator"
    LEFT = "leaving the list"
    ANSWERED = "accepted, declined, withdrawn"
    BOOKED = "booked meanwhile"
    DRIVE_CANCELLED = "drive cancelled"


@dataclass(frozen=True, kw_only=True)
class MessageKind:
    name: str
    label: "StrOrPromise"
    trigger: str
    channels: ChannelChoice | ChannelRule
    basis: Basis
    quiet: QuietRule
    budget: Budget
    useful: timedelta | UsefulUntil
    withdrawn_by: tuple[Withdrawal, ...] = ()
    calls_if_undelivered: bool = False  # a coordinator calls the donor if no message arrives
    calendar_method: str = ""  # the METHOD of the calendar object in its e-mail
    email_replaces_text: bool = False  # send an e-mail if the text fails
    asks_for_reply: bool = False  # the text asks for a reply of C or X
    ends_visit: bool = False  # the message says that the booking is cancelled

    @property
    def priority(self) -> int:
        return PRIORITIES[self.budget]

    def required_consent(self, given: str = "") -> str:
        """Return the purpose that the donor must have consented to, or "" if no consent is required.

        `given` is the purpose to return for kinds that leave the choice to the caller.
        """
        by_basis = {
            Basis.REMINDERS: Purpose.REMINDERS,
            Basis.NEWS: Purpose.NEWS,
            Basis.CHANGE_OR_NEWS: given,
            Basis.REPLY: given,
        }
        return by_basis.get(self.basis, "")

    @property
    def is_transactional(self) -> bool:
        """Return whether messages of this kind are about a booking or waitlist entry, and may go without a consent.

        A STOP still blocks them.
        """
        asks_none = self.basis in (Basis.OWN_ACT, Basis.JOINED, Basis.CHANGE, Basis.CHANGE_OR_NEWS)
        return asks_none and self.channels != ChannelRule.CONTACT

    def keeps_quiet_hours(self, channel: str) -> bool:
        if self.quiet in (QuietRule.TEXT_WAITS, QuietRule.TEXT_MAY_WAIT):
            return channel == Channel.SMS
        return self.quiet in (QuietRule.WAITS, QuietRule.NEXT_MORNING, QuietRule.EARLIER)


# Lower numbers are sent first.
PRIORITIES: Mapping[Budget, int] = MappingProxyType(
    {
        Budget.NONE: 0,
        Budget.CODES: 0,
        Budget.BOOKING: 1,
        Budget.REMINDERS: 2,
        Budget.BROADCAST: 2,
        Budget.INVITATIONS: 3,
    }
)


class Lane(Enum):
    """The first and last priority that a channel worker claims. Separate workers send codes."""

    CODES = PRIORITIES[Budget.CODES], PRIORITIES[Budget.CODES]
    OTHERS = PRIORITIES[Budget.BOOKING], PRIORITIES[Budget.INVITATIONS]


def _build_change_kind(
    name: str, label: "StrOrPromise", trigger: str, method: str, *, ends_visit: bool = False
) -> MessageKind:
    return MessageKind(
        name=name,
        label=label,
        trigger=trigger,
        channels=ChannelChoice.BOTH,
        basis=Basis.CHANGE,
        quiet=QuietRule.TEXT_MAY_WAIT,
        budget=Budget.BOOKING,
        useful=UsefulUntil.VISIT,
        withdrawn_by=(Withdrawal.REVISION,) if ends_visit else (Withdrawal.REVISION, Withdrawal.CANCELLATION),
        calls_if_undelivered=True,
        calendar_method=method,
        email_replaces_text=True,
        ends_visit=ends_visit,
    )


def _build_reminder_kind(name: str, label: "StrOrPromise") -> MessageKind:
    return MessageKind(
        name=name,
        label=label,
        trigger="the message schedule",
        channels=ChannelRule.SCHEDULE,
        basis=Basis.REMINDERS,
        quiet=QuietRule.EARLIER,
        budget=Budget.REMINDERS,
        useful=UsefulUntil.VISIT,
        withdrawn_by=(Withdrawal.REVISION, Withdrawal.CANCELLATION, Withdrawal.OPT_OUT),
        email_replaces_text=True,
        asks_for_reply=True,
    )


def _build_after_visit_kind(name: str, label: "StrOrPromise", trigger: str) -> MessageKind:
    return MessageKind(
        name=name,
        label=label,
        trigger=trigger,
        channels=ChannelRule.SCHEDULE,
        basis=Basis.REMINDERS,
        quiet=QuietRule.NEXT_MORNING,
        budget=Budget.REMINDERS,
        useful=timedelta(days=7),
        withdrawn_by=(Withdrawal.OPT_OUT,),
    )


def _build_member_kind(name: str, label: "StrOrPromise", trigger: str, useful: timedelta) -> MessageKind:
    return MessageKind(
        name=name,
        label=label,
        trigger=trigger,
        channels=ChannelChoice.MAIL,
        basis=Basis.MEMBER,
        quiet=QuietRule.LEAVES,
        budget=Budget.NONE,
        useful=useful,
    )


CODE = MessageKind(
    name="code",
    label=_("Code"),
    trigger="a hold, a search, a new contact",
    channels=ChannelRule.CONTACT,
    basis=Basis.OWN_ACT,
    quiet=QuietRule.LEAVES,
    budget=Budget.CODES,
    useful=rules.CODE_LIFETIME,
    withdrawn_by=(Withdrawal.NEWER_CODE,),
)
BOOKED = MessageKind(
    name="booked",
    label=_("Confirmation"),
    trigger="a booking is verified, restored, or entered by a coordinator",
    channels=ChannelRule.SCHEDULE,
    basis=Basis.OWN_ACT,
    quiet=QuietRule.TEXT_MAY_WAIT,
    budget=Budget.BOOKING,
    useful=UsefulUntil.VISIT,
    withdrawn_by=(Withdrawal.REVISION, Withdrawal.CANCELLATION),
    calls_if_undelivered=True,
    calendar_method="REQUEST",
    email_replaces_text=True,
)
MOVED = _build_change_kind("moved", _("New time"), "a booking moves to another time", "REQUEST")
RELOCATED = _build_change_kind(
    "relocated", _("Location changed"), "the drive moves to another site or address", "REQUEST"
)
CANCELLED = _build_change_kind("cancelled", _("Cancellation"), "a booking is cancelled", "CANCEL", ends_visit=True)
DRIVE_CANCELLED = _build_change_kind(
    "drive_cancelled", _("The drive is cancelled"), "the drive is cancelled", "CANCEL", ends_visit=True
)
WEEK = _build_reminder_kind("week", _("Early reminder"))
THREE_DAYS = _build_reminder_kind("three_days", _("Reminder, a few days before"))
DAY_BEFORE = _build_reminder_kind("day_before", _("Reminder, the day before"))
SAME_DAY = _build_reminder_kind("same_day", _("Reminder, same day"))
LATE = MessageKind(
    name="late",
    label=_("Running late"),
    trigger="a helper at the door",
    channels=ChannelRule.SENDER,
    basis=Basis.CHANGE,
    quiet=QuietRule.LEAVES,
    budget=Budget.BOOKING,
    useful=UsefulUntil.DELAYED_VISIT,
    withdrawn_by=(Withdrawal.CANCELLATION, Withdrawal.STOPPED),
    calls_if_undelivered=True,
    email_replaces_text=True,
)
WAITLIST_JOINED = MessageKind(
    name="waitlist_joined",
    label=_("On the waiting list"),
    trigger="a donor joins the waitlist",
    channels=ChannelRule.SENDER,
    basis=Basis.OWN_ACT,
    quiet=QuietRule.LEAVES,
    budget=Budget.BOOKING,
    useful=UsefulUntil.DRIVE_ENDS,
    withdrawn_by=(Withdrawal.LEFT,),
    email_replaces_text=True,
)
OFFER = MessageKind(
    name="offer",
    label=_("Offer of a freed spot"),
    trigger="a spot is freed",
    channels=ChannelChoice.BOTH,
    basis=Basis.JOINED,
    quiet=QuietRule.TEXT_WAITS,
    budget=Budget.BOOKING,
    useful=UsefulUntil.DEADLINE,
    withdrawn_by=(Withdrawal.ANSWERED,),
    calls_if_undelivered=True,
    asks_for_reply=True,
)
WAITLIST_CLOSED = MessageKind(
    name="waitlist_closed",
    label=_("The waiting list is closed"),
    trigger="the waitlist is closed, or the drive is over",
    channels=ChannelRule.SENDER,
    basis=Basis.JOINED,
    quiet=QuietRule.TEXT_WAITS,
    budget=Budget.BOOKING,
    useful=timedelta(days=1),
    calls_if_undelivered=True,
    email_replaces_text=True,
)
WAITLIST_ANSWER = MessageKind(
    name="waitlist_answer",
    label=_("Answer"),
    trigger="a donor’s text that answers an offer",
    channels=ChannelRule.CONTACT,
    basis=Basis.OWN_ACT,
    quiet=QuietRule.LEAVES,
    budget=Budget.CODES,
    useful=timedelta(hours=1),
)
BROADCAST = MessageKind(
    name="broadcast",
    label=_("Group message"),
    trigger="a coordinator",
    channels=ChannelRule.SENDER,
    basis=Basis.CHANGE_OR_NEWS,
    quiet=QuietRule.WAITS,
    budget=Budget.BROADCAST,
    useful=UsefulUntil.VISIT_OR_THREE_DAYS,
    withdrawn_by=(Withdrawal.CANCELLATION, Withdrawal.STOPPED, Withdrawal.OPT_OUT),
    email_replaces_text=True,
)
THANK_YOU = _build_after_visit_kind("thank_you", _("Thank-you"), "close-out, for donors who came")
MISSED = _build_after_visit_kind("missed", _("We missed you"), "close-out, for donors who did not come")
INVITATION = MessageKind(
    name="invitation",
    label=_("You can donate again"),
    trigger="a sweep, while a drive has open spots",
    channels=ChannelRule.SENDER,
    basis=Basis.NEWS,
    quiet=QuietRule.WAITS,
    budget=Budget.INVITATIONS,
    useful=UsefulUntil.FIRST_TIME,
    withdrawn_by=(Withdrawal.BOOKED, Withdrawal.DRIVE_CANCELLED, Withdrawal.OPT_OUT),
)
ANSWER = MessageKind(
    name="answer",
    label=_("Answer"),
    trigger="a coordinator answers a donor’s text",
    channels=ChannelRule.CONTACT,
    basis=Basis.REPLY,
    quiet=QuietRule.LEAVES,
    budget=Budget.CODES,
    useful=timedelta(hours=1),
)
OPT_OUT = MessageKind(
    name="opt_out",
    label=_("Opt-out confirmed"),
    trigger="an opt-out that the provider does not confirm itself",
    channels=ChannelRule.CONTACT,
    basis=Basis.OWN_ACT,
    quiet=QuietRule.LEAVES,
    budget=Budget.CODES,
    useful=timedelta(hours=1),
)
REPLY_ANSWER = MessageKind(
    name="reply_answer",
    label=_("Answer"),
    trigger="a donor’s C or X that needs a choice or cannot be carried out",
    channels=ChannelRule.CONTACT,
    basis=Basis.OWN_ACT,
    quiet=QuietRule.LEAVES,
    budget=Budget.CODES,
    useful=timedelta(hours=1),
)
ALERT_CANCELLATION = _build_member_kind(
    "alert_cancellation",
    _("Note to coordinators"),
    "cancellations close to the drive, in a digest of 15 minutes",
    timedelta(days=1),
)
ALERT_UNDER_FILLED = _build_member_kind(
    "alert_under_filled", _("Note to coordinators"), "a drive with many open times, a week before it", timedelta(days=1)
)
ACCOUNT = _build_member_kind(
    "account", _("Account"), "a password reset, a changed way to sign in, an invitation of a member", timedelta(days=1)
)
TEST = _build_member_kind("test", _("Test"), "a coordinator sends a test of a message", timedelta(hours=1))
TEST_TEXT = MessageKind(
    name="test_text",
    label=_("Test"),
    trigger="an owner sends a test text to a phone",
    channels=ChannelRule.CONTACT,
    basis=Basis.MEMBER,
    quiet=QuietRule.LEAVES,
    budget=Budget.CODES,
    useful=timedelta(hours=1),
)

KINDS: Mapping[str, MessageKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            *(CODE, BOOKED, MOVED, RELOCATED, CANCELLED, DRIVE_CANCELLED, WEEK, THREE_DAYS, DAY_BEFORE, SAME_DAY),
            *(LATE, WAITLIST_JOINED, OFFER, WAITLIST_CLOSED, WAITLIST_ANSWER, BROADCAST, THANK_YOU, MISSED, INVITATION),
            *(ANSWER, OPT_OUT, REPLY_ANSWER, ALERT_CANCELLATION, ALERT_UNDER_FILLED, ACCOUNT, TEST, TEST_TEXT),
        )
    }
)


def list_kind_names(condition: Callable[[MessageKind], bool]) -> tuple[str, ...]:
    return tuple(kind.name for kind in KINDS.values() if condition(kind))


def list_kinds_withdrawn_by(cause: Withdrawal) -> tuple[str, ...]:
    return list_kind_names(lambda kind: cause in kind.withdrawn_by)
