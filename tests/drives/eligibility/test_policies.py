"""The policies that come with the service."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drives.domain import intervals
from drives.domain.intervals import Donation, IntervalRules
from drives.eligibility import policies, self_check
from drives.models import Policy
from tests import builders

CODES = [
    "US_SOURCE",
    "US_INFREQUENT",
    "US_ARC_AB",
    "UK_NHSBT",
    "CA_CBS",
    "CA_HQ",
    "AU_LIFEBLOOD",
    "DE_RL",
    "AT",
    "EU_EDQM",
    "EU_EDQM_2025",
    "WHOLE_BLOOD_US",
]


def least_times() -> dict[str, tuple[int | None, int | None, list[list[int]]]]:
    return {row["code"]: (row["min_hours"], row["min_days"], row["windows"]) for row in policies.read_policy_file()}


@pytest.mark.django_db
def test_seeding_twice_adds_each_policy_once() -> None:
    Policy.objects.all().delete()
    assert policies.seed_policies(Policy) == len(CODES)
    assert policies.seed_policies(Policy) == 0
    assert list(Policy.objects.order_by("pk").values_list("code", flat=True)) == CODES


@pytest.mark.django_db
def test_seeding_leaves_an_organizations_own_copy_alone() -> None:
    policies.seed_policies(Policy)
    builders.policy(code="US_SOURCE", organization=builders.organization(), min_hours=72)
    assert policies.seed_policies(Policy) == 0
    assert set(Policy.objects.filter(code="US_SOURCE").values_list("min_hours", flat=True)) == {48, 72}


def test_minimums_and_windows_match_the_sources() -> None:
    assert least_times() == {
        "US_SOURCE": (48, None, [[2, 7]]),
        "US_INFREQUENT": (None, 28, []),
        "US_ARC_AB": (None, 28, [[13, 365]]),
        "UK_NHSBT": (None, 14, [[24, 365]]),
        "CA_CBS": (None, 7, []),
        "CA_HQ": (None, 6, []),
        "AU_LIFEBLOOD": (None, 14, []),
        "DE_RL": (None, 3, [[60, 365]]),
        "AT": (72, None, [[2, 7], [3, 14], [50, 365]]),
        "EU_EDQM": (96, None, [[33, 365]]),
        "EU_EDQM_2025": (None, None, [[2, 31]]),
        "WHOLE_BLOOD_US": (None, 56, []),
    }


def test_a_policy_is_verified_only_if_its_source_is() -> None:
    verified = {row["code"] for row in policies.read_policy_file() if row["verified"]}
    assert verified == {"CA_CBS", "AU_LIFEBLOOD", "AT", "WHOLE_BLOOD_US"}
    assert verified == {row["code"] for row in policies.read_policy_file() if "Not verified" not in row["source"]}


def test_a_visit_takes_at_least_its_screening_and_its_chair_time() -> None:
    for row in policies.read_policy_file():
        assert row["first_screening_minutes"] + row["chair_minutes"] <= row["first_minutes"], row["code"]
        assert row["return_screening_minutes"] + row["chair_minutes"] <= row["return_minutes"], row["code"]


def test_every_self_check_code_has_a_sentence() -> None:
    asked = {code for row in policies.read_policy_file() for code in row["self_check"]}
    assert asked <= self_check.SENTENCES.keys()
    assert self_check.format_self_check_code("age_18") == "I am 18 or older."


def test_an_unknown_self_check_code_is_shown_as_spelled() -> None:
    assert self_check.format_self_check_code("no_fever_today") == "No fever today"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (IntervalRules(), "There is no required wait between donations."),
        (IntervalRules(min_hours=48), "At least 48 hours between donations."),
        (IntervalRules(min_days=28), "At least 28 days between donations."),
        (IntervalRules(windows=[(3, 14), (50, 365)]), "No more than 3 in 14 days, no more than 50 in 365 days."),
        (
            IntervalRules(min_hours=72, min_days=3, windows=[(2, 7)]),
            "At least 72 hours between donations, at least 3 days between donations, no more than 2 in 7 days.",
        ),
    ],
)
def test_a_policy_is_described_in_words(rules: IntervalRules, words: str) -> None:
    assert policies.describe_rules(rules) == words


@pytest.mark.parametrize("row", policies.read_policy_file(), ids=lambda row: f"{row['code']}-{row['version']}")
def test_each_policy_allows_a_donation_exactly_at_its_minimum(row: dict[str, Any]) -> None:
    zone = ZoneInfo("UTC")
    rules = IntervalRules(
        row.get("kind", "plasma"), row["min_hours"], row["min_days"], row["windows"], row["cross_days"]
    )
    gave = Donation(datetime(2027, 6, 1, 12, tzinfo=UTC), date(2027, 6, 1), rules)
    least = [gave.donated_at + timedelta(hours=rules.min_hours)] if rules.min_hours else []
    if rules.min_days:
        least.append(intervals.compute_day_start(gave.donated_on + timedelta(days=rules.min_days), zone))
    if not least:
        assert row["windows"]
        return
    first = max(least)
    assert not intervals.check_intervals(rules, [gave], first, zone).broken_rules
    verdict = intervals.check_intervals(rules, [gave], first - timedelta(minutes=1), zone)
    assert ([one.code for one in verdict.broken_rules], verdict.earliest_ok_at) == (["interval_too_short"], first)


@pytest.mark.parametrize("row", policies.read_policy_file(), ids=lambda row: f"{row['code']}-{row['version']}")
def test_each_window_allows_exactly_its_count(row: dict[str, Any]) -> None:
    zone, noon = ZoneInfo("UTC"), datetime(2027, 1, 1, 12, tzinfo=UTC)
    for count, days in row["windows"]:
        only = IntervalRules(row.get("kind", "plasma"), windows=[(count, days)])
        ons = [noon + timedelta(days=n) for n in range(count)]
        given = [Donation(at, at.date(), only) for at in ons]
        last = noon + timedelta(days=days - 1)
        assert not intervals.check_intervals(only, given[1:], last, zone).broken_rules
        assert [one.code for one in intervals.check_intervals(only, given, last, zone).broken_rules] == ["window_full"]
        assert not intervals.check_intervals(only, given, last + timedelta(days=1), zone).broken_rules


@pytest.mark.parametrize("row", policies.read_policy_file(), ids=lambda row: f"{row['code']}-{row['version']}")
def test_each_cross_interval_ends_on_its_day(row: dict[str, Any]) -> None:
    zone = ZoneInfo("UTC")
    for kind, days in row["cross_days"].items():
        only = IntervalRules(row.get("kind", "plasma"), cross_days={kind: days})
        gave = Donation(datetime(2027, 6, 1, 12, tzinfo=UTC), date(2027, 6, 1), IntervalRules(kind))
        first = intervals.compute_day_start(gave.donated_on + timedelta(days=days), zone)
        assert not intervals.check_intervals(only, [gave], first, zone).broken_rules
        broken = intervals.check_intervals(only, [gave], first - timedelta(minutes=1), zone).broken_rules
        assert [one.code for one in broken] == ["cross_interval"]
