from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from notifications import rules as notifications_rules
from volunteers import rules as volunteers_rules
from volunteers.models import Contact


def refusal(text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        volunteers_rules.clean_name(text)
    return str(caught.value.code)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Test Ana Alder", "Test Ana Alder"),
        ("  Ana \t\n Alder  ", "Ana Alder"),
        ("Ana\u2028Alder", "Ana Alder"),
        ("Ana\u0085Alder\x0bX", "Ana Alder X"),
        ("Ana\u00a0\u3000Alder", "Ana Alder"),
        ("\u202eAna\u202c Al\u200bder\ufeff", "Ana Alder"),
        ("A\x00na", "A na"),
        ("عائشة بنت محمد", "عائشة بنت محمد"),
        ("\u200fعائشة\u061c", "عائشة"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("José Peña", "José Peña"),
        ("Jose\u0301", "José"),
        ("O'Neil-D’Arcy", "O'Neil-D’Arcy"),
        ("J.R.R. Tolkien", "J.R.R. Tolkien"),
        ("J.Smith", "J.Smith"),
        ("St.John Rivers", "St.John Rivers"),
        ("Dr.Ana Alder", "Dr.Ana Alder"),
        ("Ma.Teresa", "Ma.Teresa"),
        ("Md.Rahim Uddin", "Md.Rahim Uddin"),
        ("Mohd.Ali", "Mohd.Ali"),
        ("Jo.Anne Reed", "Jo.Anne Reed"),
        ("Ganesan A/L Suppiah", "Ganesan A/L Suppiah"),
        ("Low Kok Wai @ Simon", "Low Kok Wai @ Simon"),
        ("Low Kok Wai@Simon", "Low Kok Wai@Simon"),
        ("Ana\u3164 Al\ufe0fder", "Ana Alder"),
        ("Ana e\u200b\u0301", "Ana é"),
        ("李小龍", "李小龍"),
        ("Ana Alder Jr.", "Ana Alder Jr."),
        ("Ana 2", "Ana 2"),
    ],
)
def test_a_name_is_kept_as_people_write_it_without_what_is_not_seen(typed: str, kept: str) -> None:
    assert volunteers_rules.clean_name(typed) == kept


@pytest.mark.parametrize("typed", ["", "   ", "\u202e\u200b", "123", "...", "\u200c", "\x00\x01", "😀", "\u3164"])
def test_a_name_has_at_least_a_letter(typed: str) -> None:
    assert refusal(typed) == "name_missing"


def test_a_name_has_at_most_120_characters() -> None:
    assert volunteers_rules.clean_name("a" * 120) == "a" * 120
    assert refusal("a" * 121) == "name_too_long"
    assert refusal("a" * 200) == "name_too_long"


@pytest.mark.parametrize(
    "typed",
    [
        "http://evil.example",
        "Ana https://bit.ly/x",
        "www.evil.example",
        "evil.com",
        "x.com",
        "Ana evil.com/pay",
        "EVIL.COM",
        "evil。com",
        "evil．com",
        "evil.\u200dcom",
        "evil.c\u200bom",
        "ｅｖｉｌ.ｃｏｍ",
        "evil.example",
        "müller.de",
        "пример.рф",
        "ana@example.org",
        "Ana <b>Alder</b>",
        "a/b",
        "Ana a/lx",
        "Ana xa/l",
        "Ana s/o/x",
        "Jo.anne Reed",
        "Joe.Anne Reed",
        "Wm.Com",
        "Low@Simon.Example",
        "Low @ simon.example",
        "mailto:ana@example.org",
        "sub.evil.co.uk",
    ],
)
def test_a_web_address_is_no_name(typed: str) -> None:
    assert refusal(typed) == "name_has_link"


@given(st.text(max_size=300))
def test_a_stored_name_is_one_visible_line(typed: str) -> None:
    try:
        name = volunteers_rules.clean_name(typed)
    except ValidationError as problem:
        assert problem.code in {"name_missing", "name_too_long", "name_has_link"}  # noqa: PT017
        return
    assert 1 <= len(name) <= 120
    assert name == " ".join(name.split())
    assert name.splitlines() == [name]
    assert not set(name) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\x00")
    assert volunteers_rules.clean_name(name) == name


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("482913", "482913"),
        (" 482 913 ", "482913"),
        ("482-913", "482913"),
        ("٤٨٢٩١٣", "482913"),
        ("000000", "000000"),
        ("482–913", "482913"),
        ("482.913", "482913"),
        ("\u200e482913\u2069", "482913"),
        ("#482 913.", "482913"),
        ("４８２９１３", "482913"),
        ("48+2913", ""),
        ("48291", ""),
        ("4829130", ""),
        ("48291x", ""),
        ("48291²", ""),
        ("", ""),
        ("4" * 10_000, ""),
    ],
)
def test_a_code_is_six_digits_however_it_is_spaced(typed: str, code: str) -> None:
    assert volunteers_rules.parse_code(typed) == code


@pytest.mark.parametrize(
    ("asked", "spoken"), [("", "en"), ("es", "es"), ("es-MX", "es"), ("ES_us", "es"), ("en-GB", "en")]
)
def test_a_language_is_one_of_ours(asked: str, spoken: str) -> None:
    assert volunteers_rules.parse_language(asked, "en") == spoken


def test_another_language_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        volunteers_rules.parse_language("tlh", "en")
    assert caught.value.code == "language_unknown"


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("unix:", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_network_is_an_address_or_a_64(ip: str | None, network: str) -> None:
    assert next((found for _length, found in volunteers_rules.compute_networks(ip)), "") == network


def test_an_ipv6_address_is_in_three_networks() -> None:
    expected = [("64", "2001:db8:1:203::/64"), ("56", "2001:db8:1:200::/56"), ("48", "2001:db8:1::/48")]
    assert volunteers_rules.compute_networks("2001:db8:1:203::1") == expected


@pytest.mark.parametrize(("spots", "most"), [(0, 6), (27, 6), (28, 7), (100, 25)])
def test_a_network_holds_a_quarter_of_a_drive_and_never_less_than_a_party(spots: int, most: int) -> None:
    assert volunteers_rules.compute_unverified_spots(spots) == most


def test_an_identity_cannot_be_made_without_the_key(settings: object) -> None:
    before = volunteers_rules.compute_identity("+12135550142")
    settings.IDENTITY_KEY = "another key"  # type: ignore[attr-defined]
    assert volunteers_rules.compute_identity("+12135550142") != before


def test_purposes_are_the_known_ones_each_once() -> None:
    assert volunteers_rules.parse_purposes(["news", "reminders", "news"]) == ["reminders", "news"]
    with pytest.raises(ValidationError):
        volunteers_rules.parse_purposes(["reminders", "newsletter"])


def test_confirmations_are_codes_each_once() -> None:
    assert volunteers_rules.parse_self_check(["age", "weight", "age"]) == ["age", "weight"]
    for wrong in (["<script>"], ["x" * 41], [""], ["a"] * 31):
        with pytest.raises(ValidationError):
            volunteers_rules.parse_self_check(wrong)


def test_the_figures_of_codes_and_limits() -> None:
    minutes, hours = timedelta(minutes=1), timedelta(hours=1)
    assert (10 * minutes, 5) == (notifications_rules.CODE_LIFETIME, volunteers_rules.CODE_TRIES)
    assert timedelta(days=30) == volunteers_rules.BROWSER_LIFETIME
    assert (3, 15 * minutes) == volunteers_rules.CODES_PER_CONTACT
    assert (8, 24 * hours) == volunteers_rules.CODES_PER_CONTACT_PER_DAY
    assert volunteers_rules.CODES_NOT_ENTERED_PER_HOUR == {"": 40, "64": 40, "56": 60, "48": 80}
    assert (hours, 15 * minutes) == (volunteers_rules.NETWORK_WINDOW, volunteers_rules.UNVERIFIED_WINDOW)
    assert 24 * hours == volunteers_rules.CODE_BUDGET_WINDOW
    assert volunteers_rules.SEARCH_CODES_PER_DAY == 2_000
    assert (6, hours) == volunteers_rules.CHANGES_PER_HOUR
    assert (12, 24 * hours) == volunteers_rules.CHANGES_PER_DAY


def test_up_to_thirty_confirmations_of_up_to_forty_characters_are_kept() -> None:
    thirty = [f"code_{number}" for number in range(30)]
    assert volunteers_rules.parse_self_check(thirty) == thirty
    assert volunteers_rules.parse_self_check(["x" * 40]) == ["x" * 40]
    assert volunteers_rules.parse_self_check(["a"]) == ["a"]
    for wrong in ([*thirty, "one_more"], ["x" * 41], [""], ["A"]):
        with pytest.raises(ValidationError) as caught:
            volunteers_rules.parse_self_check(wrong)
        assert (caught.value.code, caught.value.messages) == (
            "confirmation_unknown",
            ["One of the self-check codes is not valid. Send the codes that the drive lists."],
        )


def said(act: Callable[[], object]) -> tuple[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        act()
    return str(caught.value.code), caught.value.messages


def test_each_refusal_is_said_in_words() -> None:
    assert said(lambda: volunteers_rules.clean_name("123")) == ("name_missing", ["Enter your name."])
    other = ("name_missing", ["Enter this person’s name."])
    assert said(lambda: volunteers_rules.clean_name("123", is_own_name=False)) == other
    long = ("name_too_long", ["Enter a name of at most 120 characters."])
    assert said(lambda: volunteers_rules.clean_name("a" * 121)) == long
    link = "Names can’t contain a web address. If the name has a period, put a space after it."
    assert said(lambda: volunteers_rules.clean_name("evil.com")) == ("name_has_link", [link])
    language = ("language_unknown", ["Choose one of the available languages."])
    assert said(lambda: volunteers_rules.parse_language("tlh", "en")) == language
    consent = ("consent_unknown", ["There is no such type of consent. Send only “reminders” and “news”."])
    assert said(lambda: volunteers_rules.parse_purposes(["reminders", "newsletter"])) == consent
    contact = ("contact_missing", ["Enter a phone number or an e-mail address."])
    assert said(lambda: volunteers_rules.parse_contact_address("  ", ["US"])) == contact


def test_an_unknown_consent_is_named_in_the_error() -> None:
    with pytest.raises(ValidationError) as caught:
        volunteers_rules.parse_purposes(["newsletter"])
    assert caught.value.params == {"unknown": {"newsletter"}}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ana@Example.ORG ", "ana@example.org"),
        ("213 555 0142", "+12135550142"),
        ("+1 213 555 0142", "+12135550142"),
    ],
)
def test_one_field_takes_a_phone_or_a_mailbox(typed: str, kept: str) -> None:
    assert volunteers_rules.parse_contact_address(typed, ["US", "GB"]) == kept


def test_one_field_refuses_a_phone_that_we_do_not_text_and_nonsense() -> None:
    assert said(lambda: volunteers_rules.parse_contact_address("020 7946 0958", ["US", "GB"]))[0] == "phone_country"
    assert said(lambda: volunteers_rules.parse_contact_address("12", ["US"]))[0] == "phone_invalid"
    assert said(lambda: volunteers_rules.parse_contact_address("ana@", ["US"]))[0] == "email_invalid"


def contact(kind: str = "phone", owner: int | None = 1, verified: bool = True) -> Contact:
    return Contact(kind=kind, owner_id=owner, verified_at=datetime(2027, 3, 1, tzinfo=UTC) if verified else None)


@pytest.mark.parametrize(
    ("theirs", "reminders", "news"),
    [
        (contact(), True, True),
        (contact(verified=False), False, False),
        (contact(owner=2), False, False),
        (contact(owner=None), False, False),
        (None, False, False),
        (contact("email"), True, True),
        (contact("email", verified=False), True, False),
        (contact("email", owner=None, verified=False), True, False),
        (contact("email", owner=2), False, False),
    ],
)
def test_a_consent_covers_the_verified_contact_and_reminders_by_mail(
    theirs: Contact | None, reminders: bool, news: bool
) -> None:
    for purpose, may in (("reminders", reminders), ("news", news)):
        if may:
            volunteers_rules.require_may_consent(theirs, 1, purpose, stopped=False)
        else:
            assert said(
                lambda purpose=purpose: volunteers_rules.require_may_consent(theirs, 1, purpose, stopped=False)  # type: ignore[misc]
            ) == (
                "unverified",
                ["Book with this phone number or e-mail address first, so we know it’s yours."],
            )


def test_after_a_stop_only_a_text_opens_the_way_again() -> None:
    assert said(lambda: volunteers_rules.require_may_consent(contact(), 1, "reminders", stopped=True)) == (
        "stopped",
        ["First, text START to the number our texts come from."],
    )


def typed(**changes: str) -> tuple[volunteers_rules.PersonDetails, dict[str, list[str]]]:
    problems = volunteers_rules.FieldErrors()
    fields: dict[str, Any] = {
        "name": "Test Ana Alder",
        "phone": "213 555 0142",
        "email": "",
        "language_code": "",
        "country": "US",
        **changes,
    }
    found = volunteers_rules.clean_details(problems, **fields)
    return found, {field: [str(error.code) for error in errors] for field, errors in problems.by_field.items()}


def test_details_are_cleaned_and_the_phone_is_kept_as_it_was_typed() -> None:
    found, problems = typed(
        name=" Test  Ana ", phone=" 213 555 0142 ", email=" Ana@Example.org ", language_code="es-MX"
    )
    assert found == volunteers_rules.PersonDetails("Test Ana", "+12135550142", "213 555 0142", "ana@example.org", "es")
    assert problems == {}


@pytest.mark.parametrize("between", ["\u2028", "\u2029", "\u00a0", "\t", "\x00"])
def test_a_separator_in_a_phone_number_becomes_a_space(between: str) -> None:
    assert typed(phone=f"213{between}555")[0].phone_as_typed == "213 555"


def test_a_phone_or_a_mailbox_suffices_and_none_is_refused_beside_the_phone() -> None:
    assert typed()[1] == typed(phone="", email="ana@example.org")[1] == {}
    assert typed(phone="", email="ana@example.org")[0] == volunteers_rules.PersonDetails(
        "Test Ana Alder", "", "", "ana@example.org", ""
    )
    assert typed()[0] == volunteers_rules.PersonDetails("Test Ana Alder", "+12135550142", "213 555 0142", "", "")
    assert typed(phone=" ", email=" ")[1] == {"phone": ["contact_missing"]}


def test_every_error_is_shown_next_to_its_field() -> None:
    found, problems = typed(name="1", phone="12", email="ana@", language_code="tlh")
    assert found == volunteers_rules.PersonDetails("", "", "12", "", "")
    assert problems == {
        "name": ["name_missing"],
        "phone": ["phone_invalid"],
        "email": ["email_invalid"],
        "language": ["language_unknown"],
    }


def test_a_national_phone_is_of_the_organizations_country_and_forty_characters_are_kept_of_it() -> None:
    assert typed(phone="020 7946 0958", country="GB")[0].phone == "+442079460958"
    assert typed(phone="9" * 41)[0].phone_as_typed == "9" * 40
    assert typed(phone="213-555-0142" + "-" * 28)[0].phone_as_typed == "213-555-0142" + "-" * 28


def test_problems_are_raised_together_and_none_are_not() -> None:
    problems = volunteers_rules.FieldErrors()
    problems.raise_errors()
    assert problems.collect("name", lambda: volunteers_rules.clean_name("1"), "otherwise") == "otherwise"
    assert problems.collect("other", lambda: "fine", "otherwise") == "fine"
    with pytest.raises(ValidationError) as caught:
        problems.raise_errors()
    assert {field: [error.code for error in errors] for field, errors in caught.value.error_dict.items()} == {
        "name": ["name_missing"]
    }


def test_details_without_phone_and_mailbox_say_what_is_needed() -> None:
    problems = volunteers_rules.FieldErrors()
    volunteers_rules.clean_details(problems, name="Test Ana", phone="", email="", language_code="", country="US")
    [error] = problems.by_field["phone"]
    assert (error.code, error.messages) == ("contact_missing", ["Enter a phone number or an e-mail address."])
