"""How pages show sums of money and prices."""

from decimal import Decimal

import pytest

from drives.templatetags import amounts


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.00 USD"),
        ("0.0001", "less than 0.01 USD"),
        ("0.0099", "less than 0.01 USD"),
        ("0.01", "0.01 USD"),
        ("0.0236", "0.02 USD"),
        ("12.5", "12.50 USD"),
    ],
)
def test_a_sum_is_in_whole_cents_and_never_reads_as_nothing(amount: str, shown: str) -> None:
    assert amounts.money(Decimal(amount), "USD") == shown


def test_the_price_of_a_segment_keeps_its_fractions_of_a_cent() -> None:
    assert amounts.price(Decimal("0.0118"), "USD") == "0.0118 USD"
