"""Messages are deferred because of a sender's rate limit, a daily budget or a failing provider."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings

from notifications import breakers, outbox, rules
from notifications import queries as notifications_queries
from notifications.kinds import Withdrawal
from notifications.models import Breaker, Message, Sender
from organizations.models import Organization
from tests import builders
from tests.notifications import made
from tests.notifications.made import NOON
from tests.standins.twilio import TwilioStandIn

pytestmark = pytest.mark.django_db
TOMORROW = datetime.fromisoformat("2027-03-11T08:00:00+00:00")  # midnight in Los Angeles


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as standin, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=standin.url):
        yield standin


def paced(per_minute: int = 0, per_day: int = 0, **fields: Any) -> Organization:
    organization = builders.organization(**fields)
    Sender.objects.update(per_minute=per_minute, per_day=per_day)
    return organization


def states() -> Counter[tuple[str, str]]:
    return Counter(Message.objects.values_list("state", "reason"))


def news(organization: Organization, number: int, purpose: str = "news") -> Sequence[Message]:
    for n in range(number):
        builders.agreed(organization, f"+1213555{n:04}", purpose)
    return made.many(organization, number, purpose=purpose)


def test_a_sender_keeps_its_pace_and_says_why_the_rest_waits(twilio: TwilioStandIn) -> None:
    made.many(paced(per_minute=25), 40, kind="code")
    made.deliver()
    assert states() == {("accepted", ""): 5, ("queued", "pace"): 35}
    for second in range(1, 180):
        made.deliver(NOON + timedelta(seconds=second))
    assert states() == {("accepted", ""): 40}
    assert len(twilio.accepted) == 40


def test_a_long_line_is_masked_in_linear_time() -> None:
    made.many(paced(per_minute=60), 200, kind="code")
    made.deliver()
    turns = list(Message.objects.filter(reason="pace").order_by("due_at").values_list("due_at", flat=True))
    assert len(set(turns)) == len(turns) == 200 - 12
    assert turns[-1] > NOON + timedelta(minutes=3)


def test_a_code_overtakes_queued_reminders(twilio: TwilioStandIn) -> None:
    organization = paced(per_minute=25)
    news(organization, 40, "reminders")
    made.deliver()
    code = made.queued(organization, kind="code", address="+12135559999")
    made.deliver()
    code.refresh_from_db()
    assert code.state == "accepted"


@pytest.mark.parametrize(("one_organization", "purpose"), [(False, "news"), (False, "reminders"), (True, "news")])
def test_a_small_organization_does_not_wait_for_all_messages_of_a_large_one(
    one_organization: bool, purpose: str
) -> None:
    big, small = builders.organization(messages_per_day=0), builders.organization(messages_per_day=0)
    Sender.objects.all().delete()
    shared = Sender.objects.create(name="Shared", number="+12025550111", per_minute=75, per_day=0)
    shared.organizations.set([big, small])
    news(big, 400, purpose)
    for second in range(10):
        made.deliver(NOON + timedelta(seconds=second))
    few = [
        made.queued(
            big if one_organization else small, kind="day_before", address=f"+1213556{n:04}", purpose="reminders"
        )
        for n in range(8)
    ]
    for message in few:
        builders.agreed(big if one_organization else small, message.address, "reminders")
    for tenth in range(100, 700, 4):
        made.deliver(NOON + timedelta(seconds=tenth / 10))
    assert not Message.objects.filter(pk__in=[one.pk for one in few]).exclude(state="delivered").exists()
    left = Message.objects.filter(state="delivered").count()
    assert 75 * 0.75 <= left <= 10 + 75 * 70 / 60  # the rate limit is kept, and used fully


def test_two_large_organizations_share_the_pace() -> None:
    first, second = builders.organization(messages_per_day=0), builders.organization(messages_per_day=0)
    Sender.objects.all().delete()
    shared = Sender.objects.create(name="Shared", number="+12025550111", per_minute=75, per_day=0)
    shared.organizations.set([first, second])
    for organization in (first, second):
        made.many(organization, 100)
    for second_ in range(60):
        made.deliver(NOON + timedelta(seconds=second_))
    left = [Message.objects.of(one).filter(state="delivered").count() for one in (first, second)]
    assert 3 * min(left) >= sum(left)
    assert sum(left) >= 50


def test_a_budget_is_for_one_organization_and_one_day(twilio: TwilioStandIn) -> None:
    big, small = paced(messages_per_day=10), builders.organization()
    made.many(big, 20, kind="code", expires_at=NOON + timedelta(days=3))
    made.queued(small, address="+12135559999")
    made.deliver()
    assert states() == {("accepted", ""): 11, ("queued", "budget"): 10}
    assert set(Message.objects.filter(state="queued").values_list("due_at", flat=True)) == {TOMORROW}
    made.deliver(TOMORROW)
    assert states() == {("accepted", ""): 21}


def test_a_short_budget_delays_invitations_then_reminders_then_bookings(twilio: TwilioStandIn) -> None:
    organization = paced(messages_per_day=20)
    news(organization, 20, "news")
    made.deliver()
    assert states() == {("accepted", ""): 14, ("queued", "budget"): 6}
    news(organization, 8, "reminders")
    made.deliver()
    assert states() == {("accepted", ""): 16, ("queued", "budget"): 12}
    made.many(organization, 5, kind="drive_cancelled", purpose="reminders")
    made.deliver()
    assert states() == {("accepted", ""): 18, ("queued", "budget"): 15}
    made.many(organization, 5, kind="code")
    made.deliver()
    assert states() == {("accepted", ""): 20, ("queued", "budget"): 18}


def test_a_message_delayed_by_the_budget_keeps_quiet_hours() -> None:
    organization = paced(messages_per_day=1)
    news(organization, 2, "reminders")
    made.deliver()
    assert Message.objects.get(state="queued").due_at == TOMORROW + timedelta(hours=9)


def test_a_message_that_expires_over_the_budget_records_the_reason() -> None:
    made.many(paced(messages_per_day=1), 2, expires_at=TOMORROW)
    made.deliver()
    assert states() == {("delivered", ""): 1, ("expired", "budget"): 1}


def test_the_carrier_limit_of_a_day_applies_to_all_organizations_of_the_sender() -> None:
    first, second = builders.organization(), builders.organization()
    Sender.objects.all().delete()
    shared = Sender.objects.create(name="Shared", number="+12025550111", per_minute=0, per_day=4)
    shared.organizations.set([first, second])
    for organization in (first, second):
        made.many(organization, 3)
    made.deliver()
    assert states() == {("delivered", ""): 4, ("queued", "budget"): 2}


def test_a_withdrawn_message_uses_no_budget() -> None:
    organization = paced(messages_per_day=2)
    for message in news(organization, 2, "reminders"):
        outbox.withdraw_messages(abouts=[message.about], cause=Withdrawal.CANCELLATION, now=NOON)
    made.many(organization, 2)
    made.deliver()
    assert states() == {("withdrawn", "withdrawn"): 2, ("delivered", ""): 2}


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(days=-1), timedelta(hours=2), timedelta(days=1)])
def test_a_clock_that_jumps_stops_no_sender(twilio: TwilioStandIn, jump: timedelta) -> None:
    organization = paced(per_minute=25)
    made.many(organization, 5, kind="code")
    made.deliver()
    Message.objects.all().delete()
    made.many(organization, 5, kind="code", due_at=NOON + jump, expires_at=NOON + timedelta(days=3))
    for seconds in range(0, 40, 2):
        made.deliver(NOON + jump + timedelta(seconds=seconds))
    assert states() == {("accepted", ""): 5}


def test_mail_has_no_budget() -> None:
    organization = paced(per_minute=1, messages_per_day=1)
    for n in range(5):
        made.queued(organization, channel="email", address=f"ana{n}@example.org")
    made.deliver()
    assert states() == {("delivered", ""): 5}


def failing(twilio: TwilioStandIn, *faults: str) -> Organization:
    twilio.plan(faults)
    organization = paced()
    made.many(organization, len(faults))
    made.deliver()
    return organization


def test_a_provider_that_fails_is_left_alone_and_tried_with_one_message(twilio: TwilioStandIn) -> None:
    organization = failing(twilio, *["503"] * 10)
    assert [way.failures for way in notifications_queries.list_open_breakers()] == [10]
    made.many(organization, 20)
    made.deliver()
    assert (twilio.calls, states()["queued", "provider_down"]) == (10, 20)
    twilio.plan(["503"])
    made.deliver(NOON + timedelta(seconds=15))
    assert (twilio.calls, states()["queued", "provider_down"]) == (11, 19)
    for seconds in range(16, 62):
        made.deliver(NOON + timedelta(seconds=seconds))
    assert len(twilio.accepted) == 19
    assert notifications_queries.list_open_breakers() == []


def test_a_worker_that_dies_with_the_try_delays_the_next_one_by_seconds(twilio: TwilioStandIn) -> None:
    organization = failing(twilio, *["503"] * 10)
    made.many(organization, 2)
    made.deliver()
    Breaker.objects.update(probing=True)
    made.deliver(NOON + timedelta(seconds=15))
    made.deliver(NOON + timedelta(seconds=30))
    assert len(twilio.accepted) == 2


def test_each_failed_probe_extends_the_pause_and_a_success_ends_it() -> None:
    way, at, shut_for = "sender:7", NOON, []
    breakers.count_failures(calls=[(way, True)] * rules.BREAKER_FAILURES, now=at)
    for _try in range(4):
        row = Breaker.objects.get(subject=way)
        assert row.open_until is not None
        shut_for.append((row.open_until - at).total_seconds())
        at = row.open_until
        Breaker.objects.update(open_until=at + rules.PROBE_TIMEOUT, probing=True)
        breakers.count_failures(calls=[(way, True)], now=at)
    assert shut_for == [15, 30, 60, 60]
    breakers.count_failures(calls=[(way, False)], now=at)
    assert Breaker.objects.values_list("failures", "trips", "open_until", "probing").get() == (0, 0, None, False)


def test_other_senders_and_mail_go_on(twilio: TwilioStandIn) -> None:
    failing(twilio, *["503"] * 10)
    made.queued(builders.organization(), address="+12135559998")
    made.queued(builders.organization(), channel="email", address="ana@example.org")
    made.deliver()
    assert (states()["accepted", ""], states()["delivered", ""]) == (1, 1)


def test_a_success_among_the_failures_starts_the_count_again(twilio: TwilioStandIn) -> None:
    organization = failing(twilio, *["503"] * 9)
    made.queued(organization, address="+12135559999")
    made.deliver()
    twilio.plan(["503"] * 9)
    made.many(organization, 9)
    made.deliver()
    assert notifications_queries.list_open_breakers() == []


def test_refused_numbers_pause_no_sender(twilio: TwilioStandIn) -> None:
    organization = paced()
    for message in made.many(organization, 12):
        twilio.refuse(message.address, 21211)
    made.deliver()
    assert notifications_queries.list_open_breakers() == []


def test_a_breaker_opens_after_ten_failures_in_a_row_and_not_after_nine() -> None:
    breakers.count_failures(calls=[("sender:7", True)] * 9, now=NOON)
    assert notifications_queries.list_open_breakers() == []
    breakers.count_failures(calls=[("sender:7", True)], now=NOON)
    assert [way.failures for way in notifications_queries.list_open_breakers()] == [10]


def test_a_paused_sender_is_probed_after_fifteen_seconds_and_not_before(twilio: TwilioStandIn) -> None:
    organization = failing(twilio, *["503"] * 10)
    made.many(organization, 2)
    made.deliver()
    Message.objects.filter(state="queued").update(due_at=NOON)
    made.deliver(NOON + timedelta(seconds=14))
    assert twilio.calls == 10
    Message.objects.filter(state="queued").update(due_at=NOON)
    made.deliver(NOON + timedelta(seconds=15))
    assert twilio.calls > 10
