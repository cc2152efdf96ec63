"""Deadlines of offers, matches with freed spots, and the waitlist's texts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from drives.domain import matching
from drives.domain import rules as domain_rules
from drives.domain.grid import Footprint, VisitShape
from drives.domain.matching import ArrivalWindow, SpotMatch
from drives.messaging.texts import waitlist_texts, wording
from drives.models import Drive, Offer, Site, Visit, WaitlistEntry
from notifications import message_content
from notifications.quiet_hours import QuietHours
from organizations.models import Organization
from volunteers.models import Volunteer

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
QUIET = QuietHours(LOS_ANGELES)
CHAIR = VisitShape(0, 1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2027-03-{text}").replace(tzinfo=LOS_ANGELES)


@pytest.mark.parametrize(
    ("offered", "arrival", "deadline"),
    [
        ("01 10:00", "13 10:00", "02 10:00"),  # at most a day
        ("11 09:00", "13 01:00", "11 19:00"),  # a quarter of forty hours
        ("12 10:00", "13 10:00", "12 16:00"),
        ("11 10:00", "13 10:00", "12 09:15"),  # not in quiet hours; 15 minutes after they end
        ("12 16:00", "13 10:00", "13 09:15"),
        ("12 16:00", "13 09:45", "13 09:15"),
        ("12 16:00", "13 09:30", "12 20:23"),  # the morning is too close to the visit, so in the evening
        ("13 09:10", "13 13:10", "13 10:10"),
        ("13 10:00", "13 10:50", "13 10:15"),  # at least 15 minutes
        ("10 21:00", "12 17:00", "11 17:00"),  # in quiet hours, so counted from the morning
        ("12 23:00", "13 11:00", "13 09:30"),  # in quiet hours, so a quarter of the time that is left in the morning
        ("12 23:00", "13 09:30", "13 01:38"),  # the morning is too close to the visit, so counted from now
        ("13 07:00", "13 09:45", "13 09:15"),
        ("13 08:50", "13 09:44", "13 09:05"),  # the morning is just too close to the visit
        ("13 08:50", "13 09:45", "13 09:15"),
        ("13 08:50", "13 09:46", "13 09:15"),
    ],
)
def test_an_offer_stands_for_a_quarter_of_the_remaining_time(offered: str, arrival: str, deadline: str) -> None:
    assert matching.compute_offer_deadline(local(offered), local(arrival), QUIET) == local(deadline)


@given(
    st.integers(0, 60 * 24 * 30).map(lambda minutes: datetime(2027, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.integers(45, 60 * 24 * 20),
    st.integers(0, 12),
    st.integers(13, 24),
)
def test_an_offer_always_leaves_time_to_answer_and_to_come(now: datetime, ahead: int, until: int, since: int) -> None:
    arrival = now + timedelta(minutes=ahead)
    ends = matching.compute_offer_deadline(now, arrival, QuietHours(LOS_ANGELES, until, since))
    assert now + domain_rules.SHORTEST_OFFER <= ends <= arrival - domain_rules.MIN_OFFER_NOTICE


def steps(*free: int) -> matching.StepRows:
    starts = datetime(2027, 3, 13, 17, tzinfo=UTC)
    return [(n + 1, starts + n * timedelta(minutes=15), True, 0, chairs) for n, chairs in enumerate(free)]


def chairs(start: int, stop: int) -> Footprint:
    return Footprint(range(start, start), range(start, stop))


def test_free_spots_are_matched_before_reserved_ones() -> None:
    kept = {7: chairs(0, 1), 8: chairs(2, 3)}
    found = [(fit.slot_id, fit.reserved_spot_ids) for fit in matching.find_matches(steps(0, 1, 0), kept, CHAIR)]
    assert found[:4] == [(2, ()), (1, (7,)), (2, (7,)), (2, (8,))]
    together = matching.find_matches(steps(0, 0), {7: chairs(0, 1), 8: chairs(1, 2)}, VisitShape(0, 2))
    assert [(fit.slot_id, fit.reserved_spot_ids) for fit in together] == [(1, (7, 8))]


def test_a_match_uses_one_reserved_spot_where_possible() -> None:
    kept = {7: chairs(0, 2), 8: chairs(2, 4)}
    assert next(iter(matching.find_matches(steps(0, 0, 0, 0), kept, VisitShape(0, 2)))).reserved_spot_ids == (7,)


def test_a_step_over_its_limit_matches_no_visit() -> None:
    assert list(matching.find_matches(steps(-1), {7: chairs(0, 1)}, CHAIR)) == []


def test_a_closed_step_has_no_capacity() -> None:
    (slot_id, at, _open, screening, free) = steps(1)[0]
    assert list(matching.find_matches([(slot_id, at, False, screening, free)], {}, CHAIR)) == []


spans = st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 3), st.integers(1, 4)).map(
    lambda drawn: Footprint(
        range(drawn[0], drawn[0] + drawn[1]),
        range(drawn[0] + drawn[1] + drawn[2], drawn[0] + drawn[1] + drawn[2] + drawn[3]),
    )
)


@given(st.lists(spans, max_size=3), st.lists(spans, max_size=3))
def test_remainders_are_exactly_what_a_move_frees(old: list[Footprint], new: list[Footprint]) -> None:
    freed: dict[int, list[int]] = {}
    for piece in matching.compute_remainders(old, new):
        for n in {*piece.screening, *piece.chairs}:
            had = freed.setdefault(n, [0, 0])
            had[0], had[1] = had[0] + (n in piece.screening), had[1] + (n in piece.chairs)
    for n in {n for place in (*old, *new) for n in (*place.screening, *place.chairs)}:
        was, will = (
            (sum(n in place.screening for place in places), sum(n in place.chairs for place in places))
            for places in (old, new)
        )
        assert tuple(freed.get(n, [0, 0])) == tuple(max(0, a - b) for a, b in zip(was, will, strict=True))


def test_a_window_includes_its_start_but_not_its_end() -> None:
    first, last = local("13 10:00"), local("13 12:00")
    assert [ArrivalWindow(first, last).contains(at) for at in (first, last)] == [True, False]
    assert ArrivalWindow().contains(first)


# Texts


def entry() -> WaitlistEntry:
    organization = Organization(sms_name="W" * 20, name="Hope Foundation")
    site = Site(name="St Mary Hall", sms_name="M" * 20, timezone="America/Los_Angeles", organization=organization)
    starts = datetime(2028, 9, 27, 17, 30, tzinfo=UTC)
    drive = Drive(organization=organization, site=site, starts_at=starts, title="Plasma drive")
    ana = Volunteer(name="Test Ana Alder")
    return WaitlistEntry(**WaitlistEntry.build_link_fields(), drive=drive, volunteer=ana, visit=Visit.RETURN)


@pytest.mark.parametrize("state", ["published", "cancelled"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_waitlist_text_fits_one_segment(language: str, state: str, settings: Any) -> None:
    settings.BASE_URL = "https://drive.example.org"  # makes a link of 50 characters
    waits = entry()
    waits.drive.state = state
    with translation.override(language):
        said = [
            waitlist_texts.render_waitlist_joined(waits, "sms", 888).text,
            waitlist_texts.render_offer_declined(waits, 888),
            waitlist_texts.render_offer_gone(waits, 888),
            waitlist_texts.render_offer_gone(waits, 0),
            waitlist_texts.render_waitlist_closed(waits, "sms").text,
        ]
    assert [(message_content.count_segments(text), message_content.is_gsm(text)) for text in said] == [(1, True)] * len(
        said
    ), said


@pytest.mark.parametrize("language", ["en", "es"])
def test_an_offer_text_with_its_link_fits_one_segment(language: str) -> None:
    with translation.override(language):
        longest = wording.render_text("offer", wording.build_longest_facts("W" * 20, 54), {})
    assert (message_content.count_segments(longest), message_content.is_gsm(longest)) == (1, True), longest


def test_an_offer_text_names_time_deadline_and_replies() -> None:
    offer = Offer(**Offer.build_link_fields(), entry=entry(), starts_at=local("13 10:30"), deadline=local("12 16:00"))
    text = waitlist_texts.render_offer(offer, "sms").text
    assert text.startswith(f"{'W' * 20}: Spot open Sat Mar 13 10:30 AM. C by Fri 4:00 PM to take it, X to pass. http")
    mail = waitlist_texts.render_offer(offer, "email")
    assert mail.subject == "A spot for you: Saturday, March 13, 10:30 AM"
    assert "Reply by Friday, March 12, 4:00 PM Pacific Time." in mail.text


def test_a_deadline_is_a_full_minute() -> None:
    just = timedelta(microseconds=1)
    assert matching.compute_offer_deadline(local("13 10:00") + just, local("13 10:50"), QUIET) == local("13 10:16")
    assert matching.compute_offer_deadline(local("13 10:00"), local("13 10:50"), QUIET) == local("13 10:15")


@pytest.mark.parametrize(
    ("minutes", "stands"), [(60, 15), (64, 16), (24 * 60 * 4, 24 * 60), (24 * 60 * 4 + 4, 24 * 60)]
)
def test_an_offer_stands_for_15_minutes_to_24_hours(minutes: int, stands: int) -> None:
    always = QuietHours(LOS_ANGELES, 0, 24)
    now = local("01 10:00")
    ends = matching.compute_offer_deadline(now, now + timedelta(minutes=minutes), always)
    assert ends - now == timedelta(minutes=stands)


def test_an_offered_arrival_is_at_least_45_minutes_away() -> None:
    assert matching.compute_earliest_offered_arrival(local("13 10:00")) == local("13 10:45")


def screened(*free: tuple[int, int]) -> matching.StepRows:
    starts = datetime(2027, 3, 13, 17, tzinfo=UTC)
    return [(n + 1, starts + n * timedelta(minutes=15), True, *both) for n, both in enumerate(free)]


def test_a_reserved_spot_frees_its_screening_and_its_chair() -> None:
    shape, kept = VisitShape(1, 1), {7: Footprint(range(1), range(1, 2))}
    steps_ = screened((0, 1), (1, 0))
    fit = SpotMatch(1, steps_[0][1], Footprint(range(1), range(1, 2)), (7,))
    assert list(matching.find_matches(steps_, kept, shape)) == [fit, fit]
    assert list(matching.find_matches(screened((-1, 1), (1, 0)), kept, shape)) == []
    assert list(matching.find_matches(screened((0, 1), (0, 1)), {}, shape)) == []


def test_unneeded_reserved_spots_stay_reserved() -> None:
    kept, both = {7: chairs(0, 1), 8: chairs(1, 2), 9: chairs(2, 3)}, VisitShape(0, 2)
    steps_ = steps(0, 0, 0)
    assert list(matching.find_matches(steps_, kept, both)) == [
        SpotMatch(1, steps_[0][1], chairs(0, 2), (7, 8)),
        SpotMatch(2, steps_[1][1], chairs(1, 3), (8, 9)),
    ]


def test_freed_screening_steps_form_one_run() -> None:
    old, new = Footprint(range(4), range(4, 6)), Footprint(range(2, 2), range(2, 3))
    assert matching.compute_remainders([old], [new]) == [Footprint(range(4), range(4, 6))]
