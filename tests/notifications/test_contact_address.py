import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings

from notifications import contact_address

SPELLINGS = [
    "+12135550142",
    "12135550142",
    "2135550142",
    "213-555-0142",
    "(213) 555-0142",
    "213.555.0142",
    "1 (213) 555 0142",
    " +1 213 555 0142 ",
    "+1\u00a0(213)\u00a0555\u20110142",
    "２１３５５５０１４２",
    "tel:+1-213-555-0142",
    "011 1 213 555 0142",
    "213\u200e-555\u200e-0142",
    "\u202d+1 213 555 0142\u202c",
    "213-555-0142 (cell)",
    "Mobile: 213-555-0142",
    "213 555 0142 móvil",
]
NONSENSE = [
    "",
    "hello",
    "12",
    "911",
    "0000000000",
    "call me 2135550142",
    "213 555 0142 (x5)",
    "2135550142 cellar",
    "213 555 0142 x5",
    "213 555 0142 213 555 0143",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_many_spellings_are_one_number(spelling: str) -> None:
    assert contact_address.normalize_phone(spelling) == "+12135550142"


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_refused_with_a_sentence(nonsense: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        contact_address.normalize_phone(nonsense)
    assert refusal.value.code == "phone_invalid"
    assert refusal.value.messages == ["Enter a phone number with its area code, for example 213 555 0142."]


def test_a_number_abroad_keeps_its_country_and_a_national_one_is_the_regions() -> None:
    assert contact_address.normalize_phone("0044 20 7946 0958") == "+442079460958"
    assert contact_address.normalize_phone("020 7946 0958", region="GB") == "+442079460958"


def test_a_number_is_shown_as_people_read_it() -> None:
    assert contact_address.format_phone("+12135550142") == "(213) 555-0142"
    assert contact_address.format_phone("+442079460958") == "+44 20 7946 0958"
    assert contact_address.format_phone("nonsense") == "nonsense"


@pytest.mark.parametrize(
    ("typed", "mailbox"),
    [
        (" Test.Ana@Example.ORG ", "test.ana@example.org"),
        ("test.ana@example.org\u200b", "test.ana@example.org"),
        ("test\u00ad.ana@exam\u2060ple.org", "test.ana@example.org"),
        ("ｔｅｓｔ.ana＠example.org", "test.ana@example.org"),
        ("mailto:test.ana@example.org", "test.ana@example.org"),
        ("<test.ana@example.org>,", "test.ana@example.org"),
        ("test.ana@example.org.", "test.ana@example.org"),
        ("ida@bücher.example", "ida@xn--bcher-kva.example"),
        ("ida@BÜCHER.example", "ida@xn--bcher-kva.example"),
        ("ida@bu\u0308cher.example", "ida@xn--bcher-kva.example"),
        ("ida@bücher。example", "ida@xn--bcher-kva.example"),
        ("ida@xn--bcher-kva.example", "ida@xn--bcher-kva.example"),
        ("ida@straße.example", "ida@xn--strae-oqa.example"),  # not strasse, which is another domain
    ],
)
def test_one_mailbox_has_one_spelling(typed: str, mailbox: str) -> None:
    assert contact_address.normalize_email(typed) == mailbox


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "ana",
        "ana@",
        "a b@example.org",
        "josé@example.org",
        "ida@💩.example",
        "a@example.org\nBcc: b@example.org",
        "a" * 250 + "@example.org",
    ],
)
def test_a_mailbox_that_cannot_be_one_is_refused(nonsense: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        contact_address.normalize_email(nonsense)
    assert refusal.value.code == "email_invalid"


@pytest.mark.parametrize("number", ["+12135550142", "+17875550142", "+14165550142"])
def test_phones_of_the_countries_we_text_are_taken(number: str) -> None:
    assert contact_address.require_textable(number) == number


@pytest.mark.parametrize("number", ["+442079460958", "+18765550142", "+2348031234567", "+79161234567"])
def test_no_code_is_texted_to_countries_far_away_nor_to_their_neighbours_under_our_prefix(number: str) -> None:
    with pytest.raises(ValidationError) as refused:
        contact_address.require_textable(number)
    assert refused.value.code == "phone_country"


def test_the_countries_are_a_setting() -> None:
    with override_settings(SMS_COUNTRIES=frozenset({"GB"})):
        assert contact_address.require_textable("+442079460958")


def mailbox_of(length: int) -> str:
    begins, ends = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.", ".org"
    return f"{begins}{'d' * (length - len(begins) - len(ends))}{ends}"


def test_a_mailbox_has_at_most_254_characters() -> None:
    assert contact_address.normalize_email(mailbox_of(254)) == mailbox_of(254)
    with pytest.raises(ValidationError) as refusal:
        contact_address.normalize_email(mailbox_of(255))
    assert (refusal.value.code, refusal.value.messages) == (
        "email_invalid",
        ["Enter an e-mail address, for example ana@example.org."],
    )


def test_an_invalid_mailbox_and_an_unsupported_country_are_explained() -> None:
    with pytest.raises(ValidationError) as refusal:
        contact_address.normalize_email("ana@")
    assert refusal.value.messages == ["Enter an e-mail address, for example ana@example.org."]
    with pytest.raises(ValidationError) as refusal:
        contact_address.require_textable("+442079460958")
    assert refusal.value.messages == [
        "We can’t send texts to this country. Leave the phone number empty and enter an e-mail address instead."
    ]


@pytest.mark.parametrize(
    ("typed", "countries", "country"),
    [
        ("213 555 0142", ["US", "GB"], "US"),
        ("020 7946 0958", ["US", "GB"], "GB"),
        ("020 7946 0958", ["GB", "US"], "GB"),
        ("12", ["US", "GB"], "US"),
        ("12", ["GB", "US"], "GB"),
    ],
)
def test_a_number_is_of_the_first_country_in_which_it_is_one(typed: str, countries: list[str], country: str) -> None:
    assert contact_address.find_country(typed, countries) == country
