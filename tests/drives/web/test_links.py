"""The pages that messages link to."""

import pytest
from django.conf import settings
from django.urls import reverse

from drives.web import links

KEYS = {"organizer_drive": 17, "slot": 17, "slot_first_visit": 17}


@pytest.mark.parametrize("page", links.LINKED_PAGES)
def test_a_link_in_a_message_is_the_address_of_the_page(page: str) -> None:
    key = KEYS.get(page, "Some-key_1")
    assert links.build_link(page, key) == f"{settings.BASE_URL}{reverse(page, args=[key])}"
