"""Match a donor's typed details with a volunteer of the organization, or create one."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from notifications import queries as notifications_queries
from notifications.models import ConsentEntry
from organizations.models import Organization
from tests import builders, storm
from tests.builders import NOW
from volunteers import contacts, registration
from volunteers import rules as volunteers_rules
from volunteers.consent_texts import CONSENT_VERSION
from volunteers.matching import TooManyPeople
from volunteers.models import Contact, Registration, Volunteer
from volunteers.registration import EmailMissing

PHONE, MAIL = "+12135550142", "ana@example.org"


def registered(of: Organization, name: str = "Test Ana Alder", **typed: Any) -> Registration:
    typed = {"phone": PHONE, "source": "page", "ip": "192.0.2.1", "now": NOW, **typed}
    details = registration.build_registration(organization=of, name=name, **typed)
    registration.save_registrations([details])
    return details


def resolved(of: Organization, name: str = "Test Ana Alder", **typed: Any) -> Volunteer:
    return registration.resolve_registration(registration=registered(of, name, **typed), now=NOW)


def problems(**typed: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught, transaction.atomic():
        registered(builders.organization(), **{"phone": "", **typed})
    return {field: [str(error.code) for error in errors] for field, errors in caught.value.error_dict.items()}


TWELVE_SPELLINGS = [
    "+12135550142",
    "2135550142",
    "12135550142",
    "213-555-0142",
    "(213) 555-0142",
    "213.555.0142",
    "213 555 0142",
    "1-213-555-0142",
    "+1 (213) 555-0142",
    " +1 213 555 0142 ",
    "001 213 555 0142",
    "２１３５５５０１４２",
]


def identities(*, phone: str = "", email: str = "") -> list[str]:
    return registration.compute_typed_identities(phone=phone, email=email, country="US")


def test_twelve_spellings_of_a_number_are_one_identity() -> None:
    assert [identities(phone=typed) for typed in TWELVE_SPELLINGS] == [
        [volunteers_rules.compute_identity("+12135550142")]
    ] * 12


def test_spellings_of_a_mailbox_are_one_identity() -> None:
    typed = ["ana@example.org", " Ana@Example.org ", "ANA@EXAMPLE.ORG"]
    assert [identities(email=each) for each in typed] == [[volunteers_rules.compute_identity("ana@example.org")]] * 3


def test_an_unreadable_contact_has_no_identity() -> None:
    assert identities(phone="555", email="ana") == []


@pytest.mark.django_db
def test_typed_details_are_cleaned_and_stored() -> None:
    kept = registered(
        builders.organization(language="es"),
        " Test\u202e Ana ",
        phone=" (213) 555-0142",
        email=" Ana@Example.org",
        consents=["reminders"],
        self_check=["age"],
    )
    kept.refresh_from_db()
    assert (kept.name, kept.phone, kept.phone_as_typed, kept.email) == ("Test Ana", PHONE, "(213) 555-0142", MAIL)
    assert (kept.identity, kept.language) == (volunteers_rules.compute_identity(PHONE), "es")
    assert (kept.consents, kept.self_check, kept.ip, kept.source) == (["reminders"], ["age"], "192.0.2.1", "page")
    assert (kept.volunteer, kept.verified_at) == (None, None)


@pytest.mark.django_db
def test_without_a_phone_the_mailbox_is_the_identity() -> None:
    assert registered(builders.organization(), phone="", email=MAIL).identity == volunteers_rules.compute_identity(MAIL)


@pytest.mark.django_db
def test_every_problem_is_said_at_once() -> None:
    assert problems(name="a" * 200, phone="555", email="ana", language="tlh", consents=["x"], self_check=["!"]) == {
        "name": ["name_too_long"],
        "phone": ["phone_invalid"],
        "email": ["email_invalid"],
        "language": ["language_unknown"],
        "consents": ["consent_unknown"],
        "self_check": ["confirmation_unknown"],
    }


@pytest.mark.django_db
def test_a_phone_or_mailbox_is_required() -> None:
    assert problems() == {"phone": ["contact_missing"]}
    assert problems(phone="  ", email=" ") == {"phone": ["contact_missing"]}
    assert Registration.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["ana", "ana.example.org", "@example.org", "ana@", "a@b\r\nBcc: c@example.org"])
def test_a_mailbox_that_is_none_is_refused(email: str) -> None:
    assert problems(email=email) == {"email": ["email_invalid"]}


@pytest.mark.django_db
def test_an_address_that_is_none_does_not_stop_a_booking() -> None:
    assert registered(builders.organization(), ip="unix:").ip is None


@pytest.mark.django_db
def test_registering_costs_one_statement_whether_the_person_is_known_or_not() -> None:
    hope = builders.organization()
    for _ in range(2):
        with CaptureQueriesContext(connection) as caught:
            typed = registered(hope)
        assert ["INSERT INTO" in query["sql"] for query in caught] == [True]
        registration.resolve_registration(registration=typed, now=NOW)


@pytest.mark.django_db
def test_a_verified_contact_gets_a_new_volunteer_as_owner() -> None:
    typed = registered(builders.organization())
    ana = registration.resolve_registration(registration=typed, now=NOW)
    contact = Contact.objects.get()
    assert (contact.kind, contact.address, contact.owner, contact.verified_at) == ("phone", PHONE, ana, NOW)
    typed.refresh_from_db()
    assert (typed.volunteer, typed.verified_at) == (ana, NOW)
    assert (ana.phone, ana.email) == (contact, None)
    assert Contact.filter_by_token(contact.token).get() == contact
    assert Volunteer.filter_by_token(ana.token).get() == ana


@pytest.mark.django_db
def test_the_same_number_however_it_is_spelled_is_the_same_person() -> None:
    hope = builders.organization()
    people = {resolved(hope, phone=typed).pk for typed in TWELVE_SPELLINGS}
    assert (len(people), Contact.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_another_organization_knows_another_person() -> None:
    ana, same = resolved(builders.organization()), resolved(builders.organization())
    assert ana != same
    assert len(set(Contact.objects.values_list("identity", flat=True))) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "is_for_other", "is_ana"), [("Anna", False, True), ("Anna", True, False), ("A.", True, True)]
)
def test_for_another_person_a_similar_name_is_a_new_volunteer(name: str, is_for_other: bool, is_ana: bool) -> None:
    hope = builders.organization()
    ana = resolved(hope)
    assert (resolved(hope, f"Test {name} Alder", is_for_other=is_for_other) == ana) == is_ana


@pytest.mark.django_db
def test_eight_people_beside_its_owner_are_reached_through_a_contact_and_no_ninth() -> None:
    hope = builders.organization()
    resolved(hope)
    names = [f"Test {first} Alder" for first in ("Bo", "Cy", "Dee", "Eli", "Fay", "Gus", "Hal", "Ivy")]
    assert len({resolved(hope, name, is_for_other=True).pk for name in names}) == 8
    assert resolved(hope, names[0], is_for_other=True).name == names[0]  # a known person is found again
    with pytest.raises(TooManyPeople):
        resolved(hope, "Test Jo Alder", is_for_other=True)


@pytest.mark.django_db
def test_language_and_mailbox_are_those_said_last_and_the_name_stays() -> None:
    hope = builders.organization()
    resolved(hope, email=MAIL)
    later = resolved(hope, "Test A. Alder", language="es", email="birch@example.org")
    ana = Volunteer.objects.get()
    assert (later, ana.name, ana.language) == (ana, "Test Ana Alder", "es")
    assert ana.email is not None
    assert ana.email.address == "birch@example.org"


@pytest.mark.django_db
def test_a_mailbox_that_was_not_named_again_stays() -> None:
    hope = builders.organization()
    resolved(hope, email=MAIL)
    again = resolved(hope)
    assert again.email is not None
    assert again.email.address == MAIL


@pytest.mark.django_db
def test_the_unverified_contact_is_linked_and_not_owned() -> None:
    ana = resolved(builders.organization(), email=MAIL)
    mailbox = Contact.objects.get(kind="email")
    assert (ana.email, mailbox.owner, mailbox.verified_at) == (mailbox, None, None)


@pytest.mark.django_db
def test_another_volunteers_mailbox_is_not_linked() -> None:
    hope = builders.organization()
    cleo = resolved(hope, "Test Cleo", phone="", email=MAIL)
    ana = resolved(hope, email=MAIL)
    assert ana != cleo
    assert ana.email is None
    assert Contact.objects.get(kind="email").owner == cleo


@pytest.mark.django_db
def test_typing_a_mailbox_gives_no_access_to_its_owners_later_bookings() -> None:
    hope = builders.organization()
    mallory = resolved(hope, "Test Mallory", phone="+12135550143", email=MAIL)
    ana = resolved(hope, phone="", email=MAIL)
    assert ana != mallory
    assert Contact.objects.get(kind="email").owner == ana


@pytest.mark.django_db
def test_a_code_by_mail_verifies_the_mailbox_and_not_the_phone() -> None:
    hope = builders.organization()
    typed = registered(hope, email=MAIL, consents=["reminders"])
    Registration.objects.filter(pk=typed.pk).update(verified_at=NOW)
    registration.switch_verification_to_email(registrations=[typed])
    typed.refresh_from_db()
    assert (typed.identity, typed.verified_at) == (volunteers_rules.compute_identity(MAIL), None)
    ana = registration.resolve_registration(registration=typed, now=NOW)
    owned = dict(Contact.objects.values_list("kind", "owner"))
    assert owned == {"email": ana.pk, "phone": None}
    assert not notifications_queries.has_consent(hope, PHONE, "reminders")
    assert notifications_queries.has_consent(hope, MAIL, "reminders")


@pytest.mark.django_db
def test_a_code_by_mail_needs_a_mailbox() -> None:
    with pytest.raises(EmailMissing):
        registration.switch_verification_to_email(registrations=[registered(builders.organization())])


@pytest.mark.django_db
def test_consents_enter_the_ledger_at_verification() -> None:
    hope = builders.organization()
    typed = registered(hope, email=MAIL, consents=["news", "reminders"])
    assert ConsentEntry.objects.count() == 0
    registration.resolve_registration(registration=typed, now=NOW)
    lines = ConsentEntry.objects.order_by("pk").values_list("purpose", "address", "given", "source", "actor", "ip")
    assert list(lines) == [
        ("reminders", PHONE, True, "page", "donor", "192.0.2.1"),
        ("reminders", MAIL, True, "page", "donor", "192.0.2.1"),
        ("news", PHONE, True, "page", "donor", "192.0.2.1"),
    ]
    assert set(ConsentEntry.objects.values_list("wording_version", flat=True)) == {f"{CONSENT_VERSION}-en"}
    assert all("STOP" in text for text in ConsentEntry.objects.values_list("wording", flat=True))


@pytest.mark.django_db
def test_resolving_costs_few_statements() -> None:
    hope = builders.organization()
    for most in (5, 3):  # a new contact takes more, to find people who typed it before
        typed = registered(hope, email=MAIL)
        with CaptureQueriesContext(connection) as caught:
            registration.resolve_registration(registration=typed, now=NOW)
        assert len(caught) == most


@pytest.mark.django_db
def test_a_coordinator_enters_the_same_person_once() -> None:
    hope = builders.organization()
    entered = [
        registration.enter_volunteer(organization=hope, name="Test Ana Alder", actor="user:1", now=NOW, **typed)
        for typed in ({"phone": PHONE, "email": MAIL}, {"phone": "213 555 0142"}, {"email": " ANA@example.org"})
    ]
    assert {ana.pk for ana in entered} == {entered[0].pk}
    assert list(Contact.objects.values_list("owner", "verified_at")) == [(entered[0].pk, None)] * 2


@pytest.mark.django_db
def test_an_entered_volunteer_that_verifies_the_contact_is_the_same_person() -> None:
    hope = builders.organization()
    entered = registration.enter_volunteer(organization=hope, name="Test Ana", phone=PHONE, actor="user:1", now=NOW)
    assert resolved(hope) == entered
    assert Contact.objects.get().verified_at == NOW


@pytest.mark.django_db
def test_a_volunteer_is_found_again_by_an_unverified_mailbox() -> None:
    hope = builders.organization()
    ana = resolved(hope, email=MAIL)
    assert registration.enter_volunteer(organization=hope, name="Test Ana", email=MAIL, actor="user:1", now=NOW) == ana


@pytest.mark.django_db
def test_a_language_that_a_coordinator_left_out_stays() -> None:
    hope = builders.organization()
    resolved(hope, language="es")
    assert (
        registration.enter_volunteer(organization=hope, name="Test Ana", phone=PHONE, actor="user:1", now=NOW).language
        == "es"
    )


@pytest.mark.django_db
def test_consents_that_a_coordinator_took_name_the_coordinator() -> None:
    hope = builders.organization()
    registration.enter_volunteer(
        organization=hope, name="Test Ana", phone=PHONE, consents=["reminders"], actor="user:7", now=NOW
    )
    line = ConsentEntry.objects.get()
    assert (line.address, line.source, line.actor, line.ip) == (PHONE, "coordinator", "user:7", None)


@pytest.mark.django_db
def test_entering_refuses_what_registering_refuses() -> None:
    with pytest.raises(ValidationError) as caught:
        registration.enter_volunteer(
            organization=builders.organization(), name="evil.com", phone="1", actor="user:1", now=NOW
        )
    assert {field: errors[0].code for field, errors in caught.value.error_dict.items()} == {
        "name": "name_has_link",
        "phone": "phone_invalid",
    }


@pytest.mark.django_db(transaction=True)
def test_simultaneous_verifications_of_one_contact_create_one_person() -> None:
    for round_ in range(6):
        hope = builders.organization()
        if round_ % 2:
            contacts.lock_or_create_contacts(organization_id=hope.pk, phone=PHONE, email="")
        typed = [registered(hope, email=f"ana{number}@example.org") for number in range(12)]
        people = storm.at_once(
            12,
            lambda n, typed=typed: registration.resolve_registration(registration=typed[n], now=NOW),  # type: ignore[misc]
        )
        assert {type(person) for person in people} == {Volunteer}, (round_, people)
        assert Volunteer.objects.filter(organization=hope).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_on_the_contact_there_are_several_people() -> None:
    def naive(hope: Organization, name: str) -> None:
        with transaction.atomic():
            contact = Contact.objects.get(organization=hope, kind="phone", address=PHONE)
            storm.pause()
            if contact.owner is None:
                made = Volunteer.objects.create(
                    organization=hope, name=name, created_at=NOW, **Volunteer.build_link_fields()
                )
                Contact.objects.filter(pk=contact.pk).update(owner=made)

    doubled = 0
    for _ in range(10):
        hope = builders.organization()
        contacts.lock_or_create_contacts(organization_id=hope.pk, phone=PHONE, email="")
        storm.at_once(12, lambda n, hope=hope: naive(hope, f"Test {n}"))  # type: ignore[misc]
        doubled += Volunteer.objects.filter(organization=hope).count() > 1
    assert doubled >= 9


@pytest.mark.django_db(transaction=True)
def test_verifying_and_entering_crossed_contacts_does_not_deadlock() -> None:
    hope = builders.organization()
    typed = [
        registered(hope, phone=builders.phone(n % 3), email=f"ana{(n + 1) % 3}@example.org", now=NOW) for n in range(18)
    ]
    for each in typed[::2]:
        registration.switch_verification_to_email(registrations=[each])

    def work(n: int) -> Volunteer:
        if n % 3:
            later = NOW + timedelta(minutes=1)
            return registration.resolve_registration(registration=typed[n], now=later, booking_for="me")
        return registration.enter_volunteer(
            organization=hope, name="Test", phone=typed[n].phone, email=typed[n].email, actor="user:1", now=NOW
        )

    assert {type(each) for each in storm.at_once(18, work)} == {Volunteer}
