"""What is kept of a donor's confirmations: pure."""

import pytest
from django.core.exceptions import ValidationError

from drives.eligibility import self_check
from drives.eligibility.self_check import WILL_ASK
from drives.models import Drive, Policy

ASKED = ["age_18", "weight_50kg", "photo_id"]


@pytest.mark.parametrize(
    ("given", "asked", "kept"),
    [
        (ASKED, ASKED, ASKED),
        ([*ASKED[::-1], "more"], ASKED, ASKED),
        ([], ASKED, [WILL_ASK]),
        (["more"], ASKED, [WILL_ASK]),
        ([WILL_ASK, "age_18"], ASKED, [WILL_ASK]),
        (["age_18"], [], []),
    ],
)
def test_all_or_will_ask_is_kept(given: list[str], asked: list[str], kept: list[str]) -> None:
    assert self_check.validate_self_check(given, asked) == kept


def test_half_a_yes_is_refused_with_what_is_missing() -> None:
    with pytest.raises(ValidationError) as caught:
        self_check.validate_self_check(["age_18"], ASKED)
    [error] = caught.value.error_dict["self_check"]
    assert error.code == "confirmation_missing"
    sentences = "I weigh 110 pounds (50 kg) or more. I will bring a photo ID."
    assert error.messages == [f"Also needed: {sentences} Or say that you will ask the center."]


@pytest.mark.parametrize(
    ("given", "kept"),
    [(ASKED, ASKED), ([*ASKED, "more"], ASKED), (ASKED[:2], [WILL_ASK]), ([WILL_ASK], [WILL_ASK]), ([], [WILL_ASK])],
)
def test_of_what_was_confirmed_before_half_a_yes_means_that_they_will_ask(given: list[str], kept: list[str]) -> None:
    assert self_check.revalidate_self_check(given, ASKED) == kept


def test_where_nothing_is_asked_nothing_is_kept() -> None:
    assert self_check.revalidate_self_check(ASKED, []) == []


def test_a_code_is_said_in_its_sentence_and_an_own_one_as_it_is_spelled() -> None:
    assert self_check.format_self_check_code("age_16") == "I am 16 or older."
    assert self_check.format_self_check_code("age_17") == "I am 17 or older."
    assert self_check.format_self_check_code("age_18") == "I am 18 or older."
    assert self_check.format_self_check_code("age_18_to_75") == "I am 18 to 75 years old."
    assert self_check.format_self_check_code("weight_50kg") == "I weigh 110 pounds (50 kg) or more."
    assert self_check.format_self_check_code("no_cold_SINCE_a_week") == "No cold since a week"


def test_a_drive_asks_what_its_policy_asks_in_its_order() -> None:
    drive = Drive(policy=Policy(self_check=["photo_id", "age_18"]))
    assert self_check.list_self_check_sentences(drive) == ["I will bring a photo ID.", "I am 18 or older."]
