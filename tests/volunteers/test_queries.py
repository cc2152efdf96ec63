import pytest

from tests import builders
from tests.builders import NOW
from volunteers import queries as volunteers_queries
from volunteers import registration

pytestmark = pytest.mark.django_db


def test_people_are_found_by_name_number_and_mailbox_in_their_organization() -> None:
    hope, other = builders.organization(), builders.organization()
    typed = [("Test Ana Alder", "+12135550142", "ana@example.org"), ("Test Bea Birch", "+12135550143", "")]
    for of in (hope, other):
        for name, phone, email in typed:
            registration.enter_volunteer(organization=of, name=name, phone=phone, email=email, actor="user:1", now=NOW)

    def found(search: str) -> list[str]:
        return [person.name for person in volunteers_queries.filter_volunteers(hope, search)]

    assert found("") == ["Test Ana Alder", "Test Bea Birch"]
    assert found("birch") == ["Test Bea Birch"]
    assert found("alder test") == ["Test Ana Alder"]
    assert found("555-0142") == ["Test Ana Alder"]
    assert found("ANA@example") == ["Test Ana Alder"]
    assert found("nobody\x00") == []


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_of_people_costs_one_query(count: int, django_assert_num_queries: object) -> None:
    hope = builders.organization()
    for number in range(count):
        registration.enter_volunteer(
            organization=hope, name=f"Test {number} Ana", phone=builders.phone(number), actor="user:1", now=NOW
        )
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert (
            len([person.phone and person.phone.address for person in volunteers_queries.filter_volunteers(hope)])
            == count
        )


def test_a_number_is_looked_for_from_three_digits_on() -> None:
    hope = builders.organization()
    registration.enter_volunteer(
        organization=hope, name="Test Ana Alder", phone="+12135550142", email="", actor="user:1", now=NOW
    )
    assert [person.name for person in volunteers_queries.filter_volunteers(hope, "142")] == ["Test Ana Alder"]
    assert [person.name for person in volunteers_queries.filter_volunteers(hope, "42")] == []
