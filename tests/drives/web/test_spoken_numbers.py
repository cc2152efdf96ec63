"""Every page shows phone numbers in groups of digits.

A screen reader would read a long number as millions.
"""

import re

import pytest
from django.test import Client

from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.drives.web.test_languages_of_parts import World

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
LONG_NUMBER = re.compile(r"\+?\d{9,}")


def test_phone_numbers_are_in_groups_and_references_are_spelled() -> None:
    world = World()
    desk = coordinator.signed_in(world.owner)
    found = {}
    for client, pages in ((Client(), world.donor_pages()), (desk, world.desk_pages())):
        for address in pages:
            page = donor.text(client.get(address, follow=True))
            found[address] = LONG_NUMBER.findall(page)
    assert {address: numbers for address, numbers in found.items() if numbers} == {}


def test_control_a_long_number_is_found() -> None:
    assert LONG_NUMBER.findall("Text START to +12135550100 or (213) 555-0142") == ["+12135550100"]
