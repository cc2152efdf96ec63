"""Verification of a phone or mailbox by code."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from drives.account import booking_search
from notifications.models import Message
from organizations.models import Organization
from tests import builders, storm
from tests.builders import NOW
from volunteers import browsers, codes, limits, registration, retention, verification
from volunteers import queries as volunteers_queries
from volunteers import rules as volunteers_rules
from volunteers.codes import CodeResult
from volunteers.limits import Limit, RateLimitExceeded
from volunteers.models import LimitCounter, Registration, VerificationCode, VerifiedBrowser

PHONE = "+12135550142"
ANA = volunteers_rules.compute_identity(PHONE)
MINUTE = timedelta(minutes=1)


def registered(of: Organization, **typed: Any) -> Registration:
    typed = {"phone": PHONE, "source": "page", "ip": None, "now": NOW, **typed}
    details = registration.build_registration(organization=of, name="Test Ana Alder", **typed)
    registration.save_registrations([details])
    return details


def sent(of: Organization, *, bound_to: str = "here", now: datetime = NOW, ip: str | None = None, **typed: Any) -> str:
    with transaction.atomic():
        code = verification.send_code(
            typed=registered(of, **typed),
            bound_to=bound_to,
            about="booking:1",
            ip=ip,
            now=now,
        )
    assert code is not None
    return Message.objects.get(key__startswith=f"code:{code.pk}/").text[:6]


def tried(code: str, *, bound_to: str = "here", now: datetime = NOW, identity: str = ANA) -> CodeResult:
    return codes.check_code(identity=identity, bound_to=bound_to, code=code, now=now)


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 1_000_000:06}"


@pytest.mark.django_db
def test_the_code_goes_to_the_phone_at_once_and_is_useless_later() -> None:
    code = sent(builders.organization())
    message = Message.objects.get()
    assert (message.kind, message.channel, message.address, message.about) == ("code", "sms", PHONE, "booking:1")
    assert (message.purpose, message.keeps_quiet_hours) == ("", False)
    assert (message.due_at, message.expires_at) == (NOW, NOW + 10 * MINUTE)
    assert message.text.endswith(f"#{code}")


@pytest.mark.django_db
def test_without_a_phone_the_code_goes_by_mail() -> None:
    code = sent(builders.organization(), phone="", email="ana@example.org", language="es")
    message = Message.objects.get()
    assert (message.channel, message.address, message.language) == ("email", "ana@example.org", "es")
    assert code in message.subject


@pytest.mark.django_db
def test_a_correct_code_verifies_once() -> None:
    code = sent(builders.organization())
    assert not volunteers_queries.is_recently_verified(ANA, "here", NOW)
    assert [tried(f" {code[:3]} {code[3:]}"), tried(code)] == [CodeResult.OK, CodeResult.EXPIRED]
    assert volunteers_queries.is_recently_verified(ANA, "here", NOW + 14 * MINUTE)
    assert not volunteers_queries.is_recently_verified(ANA, "here", NOW + 15 * MINUTE)
    assert not volunteers_queries.is_recently_verified(ANA, "elsewhere", NOW)


@pytest.mark.django_db
def test_a_wrong_code_does_not_prove_and_five_are_judged() -> None:
    code = sent(builders.organization())
    assert [tried(wrong(code, by)) for by in range(1, 7)] == [CodeResult.WRONG] * 5 + [CodeResult.NO_TRIES_LEFT]
    assert tried(code) == CodeResult.NO_TRIES_LEFT
    assert VerificationCode.objects.get().tries == 5


@pytest.mark.django_db
def test_a_malformed_code_costs_no_try() -> None:
    code = sent(builders.organization())
    assert {tried(typed) for typed in ("", "12345", "abcdef", "1234567", "\x00" * 6)} == {CodeResult.WRONG}
    assert tried(code) == CodeResult.OK


@pytest.mark.django_db
def test_a_code_expires_after_ten_minutes() -> None:
    code = sent(builders.organization())
    assert tried(code, now=NOW + 10 * MINUTE) == CodeResult.EXPIRED
    assert tried(code, now=NOW + 10 * MINUTE - timedelta(seconds=1)) == CodeResult.OK


@pytest.mark.django_db
def test_a_code_counts_only_for_its_contact_and_secret() -> None:
    code = sent(builders.organization())
    assert tried(code, bound_to="elsewhere") == CodeResult.EXPIRED
    assert tried(code, identity=volunteers_rules.compute_identity("+12135550143")) == CodeResult.EXPIRED
    assert tried(code) == CodeResult.OK


@pytest.mark.django_db
def test_a_new_code_makes_the_older_one_useless() -> None:
    hope = builders.organization()
    first, second = sent(hope), sent(hope, now=NOW + MINUTE)
    if first != second:
        assert tried(first, now=NOW + MINUTE) == CodeResult.WRONG
    assert tried(second, now=NOW + MINUTE) == CodeResult.OK


@pytest.mark.django_db
def test_a_newer_code_withdraws_the_older_text_of_the_same_asker_alone() -> None:
    here = builders.organization()
    for bound_to in ("here", "elsewhere", "here"):
        sent(here, bound_to=bound_to)
    assert list(Message.objects.order_by("pk").values_list("state", flat=True)) == ["withdrawn", "queued", "queued"]


@pytest.mark.django_db
@pytest.mark.parametrize(("asker", "states"), [("here", ["withdrawn", "queued"]), ("elsewhere", ["queued", "queued"])])
def test_a_newer_search_withdraws_the_older_text_of_the_same_asker_alone(asker: str, states: list[str]) -> None:
    builders.booked(builders.drive(builders.organization()), number=42)
    Message.objects.all().delete()
    for bound_to in ("here", asker):
        verification.request_code(typed=builders.phone(42), bound_to=bound_to, ip=None, now=NOW)
        booking_search.send_find_codes(now=NOW)
    assert list(Message.objects.order_by("pk").values_list("state", flat=True)) == states


@pytest.mark.django_db
def test_an_older_code_is_not_opened_again_by_using_up_the_newer() -> None:
    hope = builders.organization()
    first, second = sent(hope), sent(hope, now=NOW + MINUTE)
    for by in range(1, 6):
        tried(wrong(second, by), now=NOW + MINUTE)
    assert tried(first, now=NOW + MINUTE) == CodeResult.NO_TRIES_LEFT


@pytest.mark.django_db
def test_the_code_is_kept_as_a_keyed_hash() -> None:
    code = sent(builders.organization())
    kept = str(VerificationCode.objects.values("code_hash", "bound_to", "identity").get())
    assert [part in kept for part in (code, "here", PHONE)] == [False] * 3


@pytest.mark.django_db
def test_three_codes_a_quarter_of_an_hour_and_eight_a_day_go_to_a_contact() -> None:
    hope, taken = builders.organization(), 0
    for quarter in range(5):
        for _ in range(4):
            try:
                sent(hope, now=NOW + quarter * 15 * MINUTE)
                taken += 1
            except RateLimitExceeded:
                continue
        assert taken == min(3 * (quarter + 1), 8)
    assert Message.objects.count() == VerificationCode.objects.count() == 8


@pytest.mark.django_db
def test_a_contact_has_one_limit_over_all_organizations() -> None:
    for _ in range(3):
        sent(builders.organization())
    with pytest.raises(RateLimitExceeded) as caught:
        sent(builders.organization())
    assert caught.value.retry_at == NOW + 15 * MINUTE


@pytest.mark.django_db
@pytest.mark.parametrize("addresses", [["192.0.2.7"], ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"]])
def test_a_network_gets_forty_unentered_codes_an_hour(addresses: list[str]) -> None:
    hope = builders.organization()
    for number in range(40):
        sent(hope, phone=builders.phone(number), ip=addresses[number % len(addresses)])
    with pytest.raises(RateLimitExceeded):
        sent(hope, phone=builders.phone(41), ip=addresses[0])
    sent(hope, phone=builders.phone(41), ip="192.0.2.8")
    sent(hope, phone=builders.phone(41), ip=addresses[0], now=NOW + 60 * MINUTE)


@pytest.mark.django_db
def test_a_network_that_enters_its_codes_is_not_limited() -> None:
    hope = builders.organization()
    for number in range(60):
        phone = builders.phone(number)
        code = sent(hope, phone=phone, ip="192.0.2.7")
        assert tried(code, identity=volunteers_rules.compute_identity(phone)) == CodeResult.OK
    assert LimitCounter.objects.get(scope="code_not_entered_").count == 0


@pytest.mark.django_db
def test_only_the_right_code_is_given_back_to_its_network_and_only_once() -> None:
    hope = builders.organization()
    code = sent(hope, ip="192.0.2.7")
    sent(hope, phone=builders.phone(1), ip="192.0.2.7")
    counter = LimitCounter.objects.filter(scope="code_not_entered_")
    tried(wrong(code))
    assert counter.get().count == 2
    for _twice in range(2):
        tried(code)
        assert counter.get().count == 1


@pytest.mark.django_db
def test_an_organization_sends_so_many_codes_a_day() -> None:
    hope = builders.organization(codes_per_day=2)
    sent(hope, phone=builders.phone(1))
    sent(hope, phone=builders.phone(2))
    with pytest.raises(RateLimitExceeded):
        sent(hope, phone=builders.phone(3))
    sent(builders.organization(), phone=builders.phone(3))
    sent(hope, phone=builders.phone(4), now=NOW + timedelta(days=1))


@pytest.mark.django_db
def test_a_known_contact_costs_the_same_work_as_an_unknown_one() -> None:
    hope = builders.organization()
    registration.resolve_registration(registration=registered(hope), now=NOW)
    work = []
    for phone in (PHONE, "+12135550143"):
        typed = registered(hope, phone=phone)
        with CaptureQueriesContext(connection) as caught:
            verification.send_code(typed=typed, bound_to="x", about="booking:1", ip=None, now=NOW)
        work.append([query["sql"].split()[:3] for query in caught])
    assert work[0] == work[1]
    assert len(work[0]) <= 4


@pytest.mark.django_db
def test_a_verified_browser_is_known_for_thirty_days() -> None:
    browsers.save_verified_browser(token="secret", identity=ANA, now=NOW)
    assert volunteers_queries.is_browser_verified("secret", ANA, NOW + timedelta(days=30) - MINUTE)
    assert not volunteers_queries.is_browser_verified("secret", ANA, NOW + timedelta(days=30))
    assert not volunteers_queries.is_browser_verified("other", ANA, NOW)
    assert not volunteers_queries.is_browser_verified("secret", volunteers_rules.compute_identity("+12135550143"), NOW)
    assert not volunteers_queries.is_browser_verified("", ANA, NOW)


@pytest.mark.django_db
def test_verifying_again_extends_the_time_of_a_verified_browser() -> None:
    for day in (0, 20):
        browsers.save_verified_browser(token="secret", identity=ANA, now=NOW + timedelta(days=day))
    assert volunteers_queries.is_browser_verified("secret", ANA, NOW + timedelta(days=49))
    assert VerifiedBrowser.objects.count() == 1
    browsers.delete_verified_browser(token="secret")
    assert not volunteers_queries.is_browser_verified("secret", ANA, NOW)


@pytest.mark.django_db
def test_a_browser_without_a_token_is_not_remembered() -> None:
    browsers.save_verified_browser(token="", identity=ANA, now=NOW)
    assert VerifiedBrowser.objects.count() == 0


@pytest.mark.django_db
def test_old_codes_and_browsers_are_deleted() -> None:
    hope = builders.organization()
    sent(hope)
    browsers.save_verified_browser(token="secret", identity=ANA, now=NOW)
    kept = registered(hope)
    registration.resolve_registration(registration=kept, now=NOW)
    later = NOW + timedelta(days=31)
    young = registered(hope, now=later - timedelta(hours=23))
    assert retention.purge_expired_rows(now=later) == {"codes": 1, "browsers": 1, "counters": 3, "registrations": 1}
    assert set(Registration.objects.all()) == {kept, young}
    assert (VerificationCode.objects.count(), LimitCounter.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_a_registration_that_a_hold_uses_is_not_deleted() -> None:
    held = builders.held(builders.drive())
    assert retention.purge_expired_rows(now=NOW + timedelta(days=2))["registrations"] == 0
    type(held).objects.update(state="lapsed", is_counted=False)
    assert retention.purge_expired_rows(now=NOW + timedelta(days=2))["registrations"] == 1
    held.refresh_from_db()
    assert held.registration is None


@pytest.mark.django_db(transaction=True)
def test_five_of_twenty_concurrent_guesses_are_checked() -> None:
    hope = builders.organization()
    for number in range(10):
        code = sent(hope, phone=builders.phone(number))
        identity = volunteers_rules.compute_identity(builders.phone(number))
        answers = storm.at_once(20, lambda n, code=code, who=identity: tried(wrong(code, n + 1), identity=who))  # type: ignore[misc]
        assert Counter(answers) == {CodeResult.WRONG: 5, CodeResult.NO_TRIES_LEFT: 15}


@pytest.mark.django_db(transaction=True)
def test_twenty_simultaneous_correct_codes_verify_once() -> None:
    hope = builders.organization()
    for number in range(10):
        code = sent(hope, phone=builders.phone(number))
        identity = volunteers_rules.compute_identity(builders.phone(number))
        answers = storm.at_once(20, lambda _, code=code, who=identity: tried(code, identity=who))  # type: ignore[misc]
        assert Counter(answers) == {CodeResult.OK: 1, CodeResult.EXPIRED: 19}


def naive(code_id: int) -> CodeResult:
    """Count a wrong code without a lock, as a control."""
    code = VerificationCode.objects.get(pk=code_id)
    if code.tries >= 5:
        return CodeResult.NO_TRIES_LEFT
    storm.pause()
    VerificationCode.objects.filter(pk=code_id, tries__lt=5).update(tries=F("tries") + 1)
    return CodeResult.WRONG


@pytest.mark.django_db(transaction=True)
def test_tries_that_are_read_first_let_more_than_five_through() -> None:
    hope, over = builders.organization(), 0
    for number in range(10):
        sent(hope, phone=builders.phone(number))
        newest = VerificationCode.objects.latest("pk").pk
        over += Counter(storm.at_once(20, lambda _, pk=newest: naive(pk)))[CodeResult.WRONG] > 5  # type: ignore[misc]
    assert over >= 9


@pytest.mark.django_db(transaction=True)
def test_three_of_many_parallel_requests_get_a_code() -> None:
    hope = builders.organization()
    answers = storm.at_once(16, lambda _: sent(hope, ip="192.0.2.9"))
    assert Counter(type(answer) for answer in answers) == {str: 3, RateLimitExceeded: 13}
    assert Message.objects.count() == 3


@pytest.mark.django_db
def test_a_verification_is_valid_for_15_minutes() -> None:
    code = sent(builders.organization())
    tried(code)
    assert volunteers_queries.is_recently_verified(ANA, "here", NOW + 15 * MINUTE - timedelta(seconds=1))
    assert not volunteers_queries.is_recently_verified(ANA, "here", NOW + 15 * MINUTE)


@pytest.mark.django_db
def test_the_fifth_try_may_be_the_right_one_and_a_sixth_may_not() -> None:
    hope = builders.organization()
    code = sent(hope)
    assert [tried(wrong(code, by)) for by in range(1, 5)] == [CodeResult.WRONG] * 4
    assert tried(code) == CodeResult.OK
    code = sent(hope, now=NOW + MINUTE)
    assert [tried(wrong(code, by), now=NOW + MINUTE) for by in range(1, 6)] == [CodeResult.WRONG] * 5
    assert tried(code, now=NOW + MINUTE) == CodeResult.NO_TRIES_LEFT


@pytest.mark.django_db
def test_an_unverified_registration_is_deleted_after_a_day_and_a_code_an_hour_after_its_end() -> None:
    hope = builders.organization()
    sent(hope)
    day, hour = NOW + timedelta(days=1), NOW + 10 * MINUTE + timedelta(hours=1)
    assert retention.purge_expired_rows(now=hour - timedelta(seconds=1))["codes"] == 0
    assert retention.purge_expired_rows(now=hour)["codes"] == 1
    assert retention.purge_expired_rows(now=day)["registrations"] == 0
    assert retention.purge_expired_rows(now=day + timedelta(seconds=1))["registrations"] == 1


@pytest.mark.django_db
def test_a_verified_browser_is_deleted_after_thirty_days() -> None:
    browsers.save_verified_browser(token="secret", identity=ANA, now=NOW)
    ends = NOW + timedelta(days=30)
    assert volunteers_queries.is_browser_verified("secret", ANA, ends - timedelta(seconds=1))
    assert retention.purge_expired_rows(now=ends - timedelta(seconds=1))["browsers"] == 0
    assert retention.purge_expired_rows(now=ends)["browsers"] == 1


@pytest.mark.django_db
def test_the_whole_service_sends_two_thousand_search_codes_a_day() -> None:
    """A fifth of the 2,000 codes is reserved for contacts that an organization knows.

    Unknown contacts therefore get at most 1,600 codes a day.
    """
    budget = Limit("code_budget_sms", "all", 2_000, timedelta(days=1), amount=1_599)
    limits.spend_limits(limits=[budget], now=NOW)
    verification.request_code(typed=PHONE, bound_to="here", ip=None, now=NOW)
    with pytest.raises(RateLimitExceeded), transaction.atomic():
        verification.request_code(typed=builders.phone(7), bound_to="here", ip=None, now=NOW)
    tomorrow = NOW.replace(hour=0) + timedelta(days=1)
    with pytest.raises(RateLimitExceeded), transaction.atomic():
        verification.request_code(
            typed=builders.phone(7), bound_to="here", ip=None, now=tomorrow - timedelta(seconds=1)
        )
    verification.request_code(typed=builders.phone(7), bound_to="here", ip=None, now=tomorrow)
