"""The check of statement counts detects a query that runs once for each row."""

import pytest

from drives.models import Drive
from organizations.models import Organization
from tests import builders, query_counts
from tests.query_counts import Act

pytestmark = pytest.mark.django_db


def drives_of(number: int) -> Organization:
    owner = builders.organization()
    for _ in range(number):
        builders.drive(owner)
    return owner


def in_one_query(number: int) -> Act:
    owner = drives_of(number)
    return lambda: [drive.site.name for drive in Drive.objects.filter(organization=owner).select_related("site")]


def in_a_query_for_each(number: int) -> Act:
    owner = drives_of(number)
    return lambda: [drive.site.name for drive in Drive.objects.filter(organization=owner)]


def test_one_query_is_one_for_any_number_of_rows() -> None:
    assert query_counts.count_for_each(in_one_query) == 1
    assert query_counts.count_for_each(in_one_query, (2, 6)) == 1


def test_control_a_query_for_each_row_is_caught_and_shown() -> None:
    with pytest.raises(AssertionError, match=r'2 for 1, 4 for 3; more of .*FROM "drives_site"'):
        query_counts.count_for_each(in_a_query_for_each)
