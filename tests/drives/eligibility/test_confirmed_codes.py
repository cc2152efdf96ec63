"""Which sentences of the self-check are saved as confirmed for a booking."""

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


def test_a_partial_self_check_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        self_check.validate_self_check(["age_18"], ASKED)
    [error] = caught.value.error_dict["self_check"]
    assert error.code == "confirmation_missing"
    sentences = "I weigh 110 pounds (50 kg) or more. I will bring a photo ID."
    assert error.messages == [f"Please also confirm: {sentences} Or tell us that you’ll ask the center."]


@pytest.mark.parametrize(
    ("given", "kept"),
    [(ASKED, ASKED), ([*ASKED, "more"], ASKED), (ASKED[:2], [WILL_ASK]), ([WILL_ASK], [WILL_ASK]), ([], [WILL_ASK])],
)
def test_an_earlier_partial_self_check_becomes_will_ask(given: list[str], kept: list[str]) -> None:
    assert self_check.revalidate_self_check(given, ASKED) == kept


def test_a_policy_without_self_check_keeps_nothing() -> None:
    assert self_check.revalidate_self_check(ASKED, []) == []


def test_a_code_has_a_sentence_or_is_shown_as_spelled() -> None:
    assert self_check.format_self_check_code("age_16") == "I am 16 or older."
    assert self_check.format_self_check_code("age_17") == "I am 17 or older."
    assert self_check.format_self_check_code("age_18") == "I am 18 or older."
    assert self_check.format_self_check_code("age_18_to_75") == "I am 18 to 75 years old."
    assert self_check.format_self_check_code("weight_50kg") == "I weigh 110 pounds (50 kg) or more."
    assert self_check.format_self_check_code("no_cold_SINCE_a_week") == "No cold since a week"


def test_a_drive_lists_its_policys_sentences_in_order() -> None:
    drive = Drive(policy=Policy(self_check=["photo_id", "age_18"]))
    assert self_check.list_self_check_sentences(drive) == ["I will bring a photo ID.", "I am 18 or older."]
