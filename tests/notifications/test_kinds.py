"""The table of message kinds: the values derived from it, the code that reads it, and the published page."""

import re
from datetime import timedelta

import pytest
from django.utils import translation

from drives.domain import reminder_times
from drives.models import BroadcastKind
from notifications import kinds
from notifications.kinds import KINDS, Basis, Budget, ChannelChoice, MessageKind, QuietRule, Withdrawal
from notifications.models import Channel, Purpose
from tests.architecture.sources import APPS, ROOT, Source, project_sources

BY_CODE = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def row(kind: MessageKind) -> list[str]:
    with translation.override("en"):
        channels = kind.channels.label if isinstance(kind.channels, ChannelChoice) else kind.channels.value
        letter = "C or X" if kind.asks_for_reply else ""
        return [
            f"{kind.label} `{kind.name}`",
            kind.trigger,
            str(channels),
            kind.basis.value,
            kind.quiet.value,
            kind.budget.value,
            words(kind.useful) if isinstance(kind.useful, timedelta) else kind.useful.value,
            ", ".join(kind.withdrawn_by) or "–",
            "yes" if kind.email_replaces_text else "–",
            "yes" if kind.calls_if_undelivered else "no",
            letter or "–",
        ]


def words(span: timedelta) -> str:
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if not span % size:
            return f"{span // size} {unit}{'s' if span > size else ''}"
    raise ValueError(span)


def published() -> list[list[str]]:
    page = (ROOT / "docs/messages.md").read_text()
    lines = [line for line in page.splitlines() if re.match(r"\| [^|]*`\w+` \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_published_table_is_the_one_in_the_code() -> None:
    assert published() == [row(kind) for kind in KINDS.values()]


def constant(kind: MessageKind) -> str:
    return next(name for name, value in vars(kinds).items() if value is kind)


def queued_kinds(sources: tuple[Source, ...]) -> set[str]:
    """Return the kinds that are named in modules that build envelopes, and the kinds of reminders and broadcasts."""
    makers = [source.text for source in sources if "envelopes.build_envelopes(" in source.text]
    named = {kind.name for kind in KINDS.values() if any(f"kinds.{constant(kind)}" in text for text in makers)}
    return named | {str(name) for name in (*reminder_times.REMINDERS, *BroadcastKind)}


def test_every_kind_is_queued_somewhere() -> None:
    assert queued_kinds(project_sources(*APPS)) == set(KINDS)


def hand_made(sources: tuple[Source, ...]) -> list[str]:
    return [source.path for source in sources if re.search(r"(?<!class )\bEnvelope\(", source.text)]


def test_one_module_makes_envelopes() -> None:
    assert hand_made(project_sources(*APPS, "config")) == ["notifications/envelopes.py"]


def test_control_an_envelope_made_by_hand_is_caught() -> None:
    assert hand_made((Source("drives/x.py", "Envelope(key=1)"),)) == ["drives/x.py"]


def literals(sources: tuple[Source, ...]) -> list[str]:
    """List the files that write a kind's name as a string instead of using the table."""
    found = re.compile(rf"\b(message|text|last|topic|envelope)\.kind (==|!=|in) [\"'({{]|kind=\"({'|'.join(KINDS)})\"")
    return [source.path for source in sources if found.search(source.text)]


def test_kinds_are_named_by_the_table() -> None:
    # The message model may not import the table of kinds, and one of its indexes needs literal codes.
    assert literals(project_sources(*APPS)) == ["notifications/models/message.py"]


def test_control_a_literal_is_caught() -> None:
    assert literals((Source("x.py", 'if message.kind == "code":'), Source("y.py", 'filter(kind="offer")'))) == [
        "x.py",
        "y.py",
    ]


@BY_CODE
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_kind_has_a_label(kind: MessageKind, language: str) -> None:
    with translation.override("en"):
        english = str(kind.label)
    with translation.override(language):
        assert str(kind.label)
        assert (str(kind.label) == english) == (language == "en")


@BY_CODE
def test_an_opt_out_withdraws_what_needs_consent(kind: MessageKind) -> None:
    asks = {Basis.REMINDERS, Basis.NEWS, Basis.CHANGE_OR_NEWS}
    assert (Withdrawal.OPT_OUT in kind.withdrawn_by) == (kind.basis in asks)


def test_codes_and_changes_leave_first_then_reminders_then_invitations() -> None:
    by_priority = {kind.name: kind.priority for kind in KINDS.values()}
    assert {by_priority[name] for name in ("code", "answer", "waitlist_answer")} == {0}
    about_bookings = {"booked", "cancelled", "drive_cancelled", "moved", "relocated", "late", "offer"}
    assert {by_priority[name] for name in about_bookings} == {1}
    later = {"week", "three_days", "day_before", "same_day", "thank_you", "missed", "broadcast"}
    assert {by_priority[name] for name in later} == {2}
    assert {name for name, priority in by_priority.items() if priority == 3} == {"invitation"}
    assert set(kinds.PRIORITIES) == set(Budget)


def test_consent_follows_the_basis() -> None:
    consents = {kind.name: kind.required_consent("given") for kind in KINDS.values()}
    own_acts = {"code", "booked", "waitlist_joined", "waitlist_answer", "opt_out", "reply_answer"}
    asked_for, members = (
        {"offer", "waitlist_closed"},
        {"alert_cancellation", "alert_under_filled", "account", "test", "test_text"},
    )
    changes = {"moved", "relocated", "cancelled", "drive_cancelled", "late"}
    reminders = {"week", "three_days", "day_before", "same_day", "thank_you", "missed"}
    assert {name for name, consent in consents.items() if not consent} == own_acts | asked_for | changes | members
    assert {name for name, consent in consents.items() if consent == Purpose.REMINDERS} == reminders
    assert {name for name, consent in consents.items() if consent == Purpose.NEWS} == {"invitation"}
    assert consents["broadcast"] == consents["answer"] == "given"


def test_an_answer_to_a_donor_is_not_transactional() -> None:
    found = set(kinds.list_kind_names(lambda kind: kind.is_transactional))
    changes = {"moved", "relocated", "cancelled", "drive_cancelled", "late", "broadcast"}
    assert found == changes | {"booked", "waitlist_joined", "offer", "waitlist_closed"}


def test_quiet_hours_follow_the_kind() -> None:
    waits = {
        kind.name: (kind.keeps_quiet_hours(Channel.SMS), kind.keeps_quiet_hours(Channel.EMAIL))
        for kind in KINDS.values()
    }
    assert waits["code"] == waits["answer"] == waits["late"] == (False, False)
    assert waits["booked"] == waits["moved"] == waits["offer"] == waits["waitlist_closed"] == (True, False)
    assert waits["day_before"] == waits["broadcast"] == waits["invitation"] == waits["thank_you"] == (True, True)
    assert {kind.quiet for kind in KINDS.values()} == set(QuietRule)


def test_a_call_and_an_email_follow_a_failed_text() -> None:
    called = {"booked", "moved", "relocated", "cancelled", "drive_cancelled", "late", "offer", "waitlist_closed"}
    mailed = {"week", "three_days", "day_before", "same_day", "broadcast", "waitlist_joined"}
    assert set(kinds.list_kind_names(lambda kind: kind.calls_if_undelivered)) == called
    assert set(kinds.list_kind_names(lambda kind: kind.email_replaces_text)) == called - {"offer"} | mailed


def test_only_bookings_and_their_changes_carry_a_calendar_object() -> None:
    methods = {kind.name: kind.calendar_method for kind in KINDS.values() if kind.calendar_method}
    booked = dict.fromkeys(("booked", "moved", "relocated"), "REQUEST")
    assert methods == {**booked, "cancelled": "CANCEL", "drive_cancelled": "CANCEL"}
    assert {kind.name for kind in KINDS.values() if kind.ends_visit} == {"cancelled", "drive_cancelled"}
