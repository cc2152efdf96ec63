"""An attacker asks for codes from many networks of one provider. Honest donors can still book.

Set ATTACKS=10000 for the long run.
"""

from datetime import datetime, timedelta

import pytest
from environs import env

from bench import bench_data
from drives.models import Booking
from organizations.models import Organization
from tests import builders, figures
from tests.builders import NOW
from tests.volunteers.test_verification import sent
from volunteers import rules
from volunteers.limits import RateLimitExceeded

pytestmark = pytest.mark.django_db
ATTACKS = env.int("ATTACKS", 1000)
MINUTE = timedelta(minutes=1)


def is_sent(owner: Organization, address: str, ip: str, now: datetime = NOW) -> bool:
    contact = {"phone": "", "email": address} if "@" in address else {"phone": address}
    try:
        sent(owner, ip=ip, now=now, **contact)
    except RateLimitExceeded:
        return False
    return True


def attack(owner: Organization) -> int:
    """Ask for codes to unknown phone numbers and e-mail addresses. Return how many codes were sent.

    Each request comes from a different /48 network.
    """
    phones = [f"+1{area}55501{n:02}" for area in bench_data.list_area_codes() for n in range(100)][100:]
    addresses = [f"test{n}@example.net" if n % 2 else phones[n] for n in range(ATTACKS)]
    return sum(is_sent(owner, address, f"2001:db8:{n:x}::1") for n, address in enumerate(addresses))


def test_known_donors_book_by_phone_and_by_mail_under_attack(request: pytest.FixtureRequest) -> None:
    owner = builders.organization(codes_per_day=100)
    drive = builders.drive(owner)
    builders.booked(drive)
    builders.booked(drive, number=43, phone="", email="test.bo@example.org")
    taken = attack(owner)
    figures.note(request, "attack", f"{ATTACKS:,} requests, {taken} codes sent")
    assert taken == 2 * (100 - 100 // rules.RESERVED_SHARE) - 2
    assert is_sent(owner, builders.phone(42), "192.0.2.9")
    assert is_sent(owner, "test.bo@example.org", "192.0.2.9")
    assert not is_sent(owner, builders.phone(44), "192.0.2.9")


def test_control_without_a_reserved_part_known_donors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "RESERVED_SHARE", 10**9)
    owner = builders.organization(codes_per_day=100)
    builders.booked(builders.drive(owner))
    attack(owner)
    assert not is_sent(owner, builders.phone(42), "192.0.2.9")


def test_codes_by_mail_do_not_use_up_texts() -> None:
    owner = builders.organization(codes_per_day=10)
    for number in range(20):
        is_sent(owner, f"test{number}@example.net", f"2001:db8:{number:x}::1")
    assert is_sent(owner, builders.phone(42), "192.0.2.9")


@pytest.mark.parametrize(("network", "apart", "most"), [("a /48", 256, 80), ("a /56", 1, 60)])
def test_a_48_and_a_56_have_limits_of_their_own(network: str, apart: int, most: int) -> None:
    owner, ips = builders.organization(), [f"2001:db8:1:{n * apart:x}::1" for n in range(120)]
    assert sum(is_sent(owner, f"test{n}@example.net", ip) for n, ip in enumerate(ips)) == most


def test_thirty_donors_behind_one_address_book_within_ten_minutes() -> None:
    drive = builders.drive(chairs=12, screening_stations=12)
    waiting: list[tuple[Booking, int]] = []
    for donor in range(30):  # each enters the code a minute after asking for it
        now = NOW + donor * MINUTE * 9 / 30
        if donor >= 4:
            booking, number = waiting.pop(0)
            builders.verified(booking, number=number, now=now)
        held = builders.held(drive, n=donor % 20, number=donor, now=now, ip="192.0.2.9")
        waiting.append((held, donor))
    for booking, number in waiting:
        builders.verified(booking, number=number, now=NOW + 10 * MINUTE)
    assert Booking.objects.filter(drive=drive, state="booked").count() == 30


def test_one_48_holds_at_most_a_quarter_of_a_drive() -> None:
    drive, held = builders.drive(), 0
    for number in range(40):
        try:
            builders.held(drive, n=number % 20, number=number, ip=f"2001:db8:1:{number:x}::1")
            held += 1
        except RateLimitExceeded:
            continue
    assert held == rules.compute_unverified_spots(32) == 8
