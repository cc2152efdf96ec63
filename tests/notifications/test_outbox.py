from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from notifications import claim, erasure, kinds, outbox
from notifications.kinds import MessageKind, Withdrawal
from notifications.message_content import MessageContent
from notifications.models import Message
from tests import builders, query_counts
from tests.notifications import made
from tests.notifications.made import NOON

pytestmark = pytest.mark.django_db


def states() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("state", flat=True))


def test_queueing_the_same_key_twice_is_once() -> None:
    organization, twice = builders.organization(), made.message()
    assert outbox.queue_messages(organization=organization, messages=[twice, made.message()], now=NOON) == 2
    assert outbox.queue_messages(organization=organization, messages=[twice, made.message()], now=NOON) == 1
    assert states() == ["queued", "queued", "queued"]


def test_nothing_to_queue_is_fine() -> None:
    assert outbox.queue_messages(organization=builders.organization(), messages=[], now=NOON) == 0
    assert outbox.queue_rendered_messages(contents=[], now=NOON) == 0


def test_three_are_queued_in_as_many_statements_as_one_and_a_thousand_in_few() -> None:
    organization = builders.organization()

    def notices(many: int) -> Callable[[], object]:
        return partial(
            outbox.queue_messages, organization=organization, messages=[made.message() for _ in range(many)], now=NOON
        )

    assert query_counts.count_for_each(notices) == 1
    assert len(query_counts.statements_of(notices(1000))) <= 4
    assert Message.objects.count() == 1 + 3 + 1000


def test_a_scheduled_message_is_sent_only_after_rendering() -> None:
    organization = builders.organization()
    assert outbox.schedule_messages(organization=organization, envelopes=[made.envelope()], now=NOON) == 1
    assert made.deliver() == {}
    scheduled = Message.objects.get()
    assert (
        outbox.queue_rendered_messages(
            contents=[(scheduled.pk, MessageContent("See you", subject="s", html="<p>"))], now=NOON
        )
        == 1
    )
    assert outbox.queue_rendered_messages(contents=[(scheduled.pk, MessageContent("Something else"))], now=NOON) == 0
    scheduled.refresh_from_db()
    assert (scheduled.state, scheduled.text, scheduled.subject, scheduled.html) == ("queued", "See you", "s", "<p>")
    assert made.deliver() == {"delivered": 1}


@pytest.mark.parametrize(
    ("text", "expected"), [("a" * 160, 1), ("a" * 161, 2), ("á" * 70, 1), ("á" * 71, 2), ("a\u00a0" * 40, 1)]
)
def test_the_segments_of_a_text_are_stored_when_it_is_queued_or_rendered(text: str, expected: int) -> None:
    organization = builders.organization()
    assert made.queued(organization, text).segments == expected
    assert made.queued(organization, text, channel="email", address="ana@example.org").segments is None
    envelopes = [made.envelope(), made.envelope(channel="email", address="ana@example.org")]
    outbox.schedule_messages(organization=organization, envelopes=envelopes, now=NOON)
    scheduled = list(Message.objects.filter(state="scheduled").order_by("pk"))
    assert [row.segments for row in scheduled] == [None, None]
    outbox.queue_rendered_messages(contents=[(row.pk, MessageContent(text)) for row in scheduled], now=NOON)
    assert {row.channel: row.segments for row in Message.objects.filter(pk__in=[row.pk for row in scheduled])} == {
        "sms": expected,
        "email": None,
    }


def test_the_segments_stay_when_a_text_is_blanked_and_go_when_it_is_rendered_again() -> None:
    organization = builders.organization()
    old = made.queued(organization, "a" * 161, about="booking:2", kind="day_before")
    outbox.unrender_messages(abouts=["booking:2"], changed_abouts=[], kinds=["day_before"], dropped_reason="x")
    old.refresh_from_db()
    assert (old.state, old.segments) == ("scheduled", None)
    sent = made.queued(organization, "a" * 161)
    made.deliver()
    erasure.purge_old_texts(now=NOON + timedelta(days=91))
    sent.refresh_from_db()
    assert (sent.text, sent.segments) == ("-", 2)


def test_a_withdrawn_scheduled_is_not_worded() -> None:
    outbox.schedule_messages(organization=builders.organization(), envelopes=[made.envelope()], now=NOON)
    scheduled = Message.objects.get()
    assert outbox.withdraw_scheduled_messages(ids=[scheduled.pk], reason="booking_changed", now=NOON) == 1
    assert outbox.queue_rendered_messages(contents=[(scheduled.pk, MessageContent("See you"))], now=NOON) == 0
    scheduled.refresh_from_db()
    assert (scheduled.state, scheduled.reason) == ("withdrawn", "booking_changed")


def test_withdrawing_covers_the_unsent_messages_about_one_booking() -> None:
    organization = builders.organization()
    made.queued(organization, about="booking:1", kind="day_before", revision=1)
    made.queued(organization, about="booking:1", kind="moved", revision=1)
    made.queued(organization, about="booking:1", kind="day_before", revision=2)
    made.queued(organization, about="booking:2", kind="day_before", revision=1)
    taken = outbox.withdraw_messages(abouts=["booking:1"], cause=Withdrawal.REVISION, before_revision=2, now=NOON)
    assert taken == 2
    assert states() == ["withdrawn", "withdrawn", "queued", "queued"]
    assert outbox.withdraw_messages(abouts=["booking:1"], cause=Withdrawal.CANCELLATION, now=NOON) == 1
    assert states() == ["withdrawn", "withdrawn", "withdrawn", "queued"]


@pytest.mark.parametrize("kind", [kinds.CODE, kinds.ANSWER, kinds.WAITLIST_ANSWER, kinds.THANK_YOU, kinds.MISSED])
@pytest.mark.parametrize("cause", [Withdrawal.REVISION, Withdrawal.CANCELLATION, Withdrawal.LEFT, Withdrawal.ANSWERED])
def test_no_change_of_a_booking_takes_back_a_code_an_answer_or_a_thank_you(
    kind: MessageKind, cause: Withdrawal
) -> None:
    made.queued(builders.organization(), about="booking:1", kind=kind.name)
    assert outbox.withdraw_messages(abouts=["booking:1"], cause=cause, now=NOON) == 0


def test_a_changed_number_is_followed_by_what_waits() -> None:
    organization = builders.organization()
    waiting = made.queued(organization, recipient="volunteer:1")
    mail = made.queued(organization, recipient="volunteer:1", channel="email", address="ana@example.org")
    other = made.queued(organization, recipient="volunteer:2")
    assert outbox.readdress_messages(recipient="volunteer:1", channel="sms", address="+12135550143", now=NOON) == 1
    addresses = dict(Message.objects.values_list("pk", "address"))
    assert addresses == {waiting.pk: "+12135550143", mail.pk: "ana@example.org", other.pk: made.ANA}


def test_a_claimed_message_that_is_readdressed_is_read_anew() -> None:
    waiting = made.queued(builders.organization(), recipient="volunteer:1")
    [claimed] = claim.claim_messages(channel="sms", limit=10, now=NOON)
    outbox.readdress_messages(recipient="volunteer:1", channel="sms", address="+12135550143", now=NOON)
    assert claim.admit_messages(claimed=[claimed], now=NOON) == []
    waiting.refresh_from_db()
    assert (waiting.state, waiting.address) == ("queued", "+12135550143")


def test_codes_are_sent_before_reminders_and_reminders_before_invitations() -> None:
    organization = builders.organization()
    for hours, kind in enumerate((kinds.CODE, kinds.DAY_BEFORE, kinds.INVITATION)):
        made.queued(organization, kind=kind.name, due_at=NOON - timedelta(hours=hours))
    claimed = claim.claim_messages(channel="sms", limit=10, now=NOON)
    assert [Message.objects.get(pk=one.id).kind for one in claimed] == ["code", "day_before", "invitation"]
