"""Match waitlisted donors with freed spots, and check the waitlist's texts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from drives.domain import waitlist_matching
from drives.domain.grid import Footprint, VisitShape
from drives.domain.waitlist_matching import ArrivalWindow, SpotMatch
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


def steps(*free: int) -> waitlist_matching.StepRows:
    starts = datetime(2027, 3, 13, 17, tzinfo=UTC)
    return [(n + 1, starts + n * timedelta(minutes=15), True, 0, chairs) for n, chairs in enumerate(free)]


def chairs(start: int, stop: int) -> Footprint:
    return Footprint(range(start, start), range(start, stop))


def test_free_spots_are_matched_before_reserved_ones() -> None:
    kept = {7: chairs(0, 1), 8: chairs(2, 3)}
    found = [
        (fit.slot_id, fit.reserved_spot_ids) for fit in waitlist_matching.find_matches(steps(0, 1, 0), kept, CHAIR)
    ]
    assert found[:4] == [(2, ()), (1, (7,)), (2, (7,)), (2, (8,))]
    together = waitlist_matching.find_matches(steps(0, 0), {7: chairs(0, 1), 8: chairs(1, 2)}, VisitShape(0, 2))
    assert [(fit.slot_id, fit.reserved_spot_ids) for fit in together] == [(1, (7, 8))]


def test_a_match_uses_one_reserved_spot_where_possible() -> None:
    kept = {7: chairs(0, 2), 8: chairs(2, 4)}
    assert next(iter(waitlist_matching.find_matches(steps(0, 0, 0, 0), kept, VisitShape(0, 2)))).reserved_spot_ids == (
        7,
    )


def test_a_step_over_its_limit_matches_no_visit() -> None:
    assert list(waitlist_matching.find_matches(steps(-1), {7: chairs(0, 1)}, CHAIR)) == []


def test_a_closed_step_has_no_capacity() -> None:
    (slot_id, at, _open, screening, free) = steps(1)[0]
    assert list(waitlist_matching.find_matches([(slot_id, at, False, screening, free)], {}, CHAIR)) == []


spans = st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 3), st.integers(1, 4)).map(
    lambda drawn: Footprint(
        range(drawn[0], drawn[0] + drawn[1]),
        range(drawn[0] + drawn[1] + drawn[2], drawn[0] + drawn[1] + drawn[2] + drawn[3]),
    )
)


@given(st.lists(spans, max_size=3), st.lists(spans, max_size=3))
def test_remainders_are_exactly_what_a_move_frees(old: list[Footprint], new: list[Footprint]) -> None:
    freed: dict[int, list[int]] = {}
    for piece in waitlist_matching.compute_remainders(old, new):
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


def screened(*free: tuple[int, int]) -> waitlist_matching.StepRows:
    starts = datetime(2027, 3, 13, 17, tzinfo=UTC)
    return [(n + 1, starts + n * timedelta(minutes=15), True, *both) for n, both in enumerate(free)]


def test_a_reserved_spot_frees_its_screening_and_its_chair() -> None:
    shape, kept = VisitShape(1, 1), {7: Footprint(range(1), range(1, 2))}
    steps_ = screened((0, 1), (1, 0))
    fit = SpotMatch(1, steps_[0][1], Footprint(range(1), range(1, 2)), (7,))
    assert list(waitlist_matching.find_matches(steps_, kept, shape)) == [fit, fit]
    assert list(waitlist_matching.find_matches(screened((-1, 1), (1, 0)), kept, shape)) == []
    assert list(waitlist_matching.find_matches(screened((0, 1), (0, 1)), {}, shape)) == []


def test_unneeded_reserved_spots_stay_reserved() -> None:
    kept, both = {7: chairs(0, 1), 8: chairs(1, 2), 9: chairs(2, 3)}, VisitShape(0, 2)
    steps_ = steps(0, 0, 0)
    assert list(waitlist_matching.find_matches(steps_, kept, both)) == [
        SpotMatch(1, steps_[0][1], chairs(0, 2), (7, 8)),
        SpotMatch(2, steps_[1][1], chairs(1, 3), (8, 9)),
    ]


def test_freed_screening_steps_form_one_run() -> None:
    old, new = Footprint(range(4), range(4, 6)), Footprint(range(2, 2), range(2, 3))
    assert waitlist_matching.compute_remainders([old], [new]) == [Footprint(range(4), range(4, 6))]
