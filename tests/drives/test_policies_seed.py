"""The programmes that come with the service."""

import pytest

from drives import confirms, programmes
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
    return {row["code"]: (row["min_hours"], row["min_days"], row["windows"]) for row in programmes.known()}


@pytest.mark.django_db
def test_seeding_twice_adds_every_programme_once() -> None:
    Policy.objects.all().delete()
    assert programmes.seed(Policy) == len(CODES)
    assert programmes.seed(Policy) == 0
    assert list(Policy.objects.order_by("pk").values_list("code", flat=True)) == CODES


@pytest.mark.django_db
def test_seeding_leaves_an_organizations_own_copy_alone() -> None:
    programmes.seed(Policy)
    builders.policy(code="US_SOURCE", organization=builders.organization(), min_hours=72)
    assert programmes.seed(Policy) == 0
    assert set(Policy.objects.filter(code="US_SOURCE").values_list("min_hours", flat=True)) == {48, 72}


def test_least_times_and_windows_are_as_the_sources_word_them() -> None:
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


def test_a_programme_is_verified_only_if_its_source_names_nothing_unverified() -> None:
    verified = {row["code"] for row in programmes.known() if row["verified"]}
    assert verified == {"CA_CBS", "AU_LIFEBLOOD", "AT", "WHOLE_BLOOD_US"}
    assert verified == {row["code"] for row in programmes.known() if "Not verified" not in row["source"]}


def test_a_visit_takes_at_least_its_screening_and_its_chair_time() -> None:
    for row in programmes.known():
        assert row["first_screening_minutes"] + row["chair_minutes"] <= row["first_minutes"], row["code"]
        assert row["return_screening_minutes"] + row["chair_minutes"] <= row["return_minutes"], row["code"]


def test_every_code_that_a_programme_asks_for_has_a_sentence() -> None:
    asked = {code for row in programmes.known() for code in row["confirms"]}
    assert asked <= confirms.SENTENCES.keys()
    assert confirms.sentence("age_18") == "I am 18 or older."


def test_a_code_of_an_own_policy_is_read_as_it_is_spelled() -> None:
    assert confirms.sentence("no_fever_today") == "No fever today"
