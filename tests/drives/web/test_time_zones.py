"""The time zone of an organization's pages, and the list of time zones in forms."""

from importlib import resources

import pytest
from django.urls import reverse

from drives.web import time_zones
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator

COUNTRIES = [code for code, _name in Organization._meta.get_field("country").flatchoices]


def groups_of(country: str, chosen: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    return [(str(name), zones) for name, zones in time_zones.list_zone_choices(country, chosen)[1:]]


def test_the_zones_of_the_own_country_come_first() -> None:
    name, zones = groups_of("US")[0]
    assert name == "United States"
    assert zones[:2] == [
        ("America/New_York", "Eastern Time (New York)"),
        ("America/Chicago", "Central Time (Chicago)"),
    ]
    assert ("America/Los_Angeles", "Pacific Time (Los Angeles)") in zones
    assert groups_of("MX")[0][0] == "Mexico"


@pytest.mark.parametrize("country", COUNTRIES)
def test_no_zone_is_offered_twice_and_none_is_an_alias(country: str) -> None:
    groups = groups_of(country)
    zones = [zone for _name, choices in groups for zone, _label in choices]
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text()
    assert len(zones) == len(set(zones)) < 130
    assert all(f"\t{zone}\t" in table or f"\t{zone}\n" in table for zone in zones)
    assert all(choices for _name, choices in groups)


def test_two_zones_of_a_country_with_the_same_rules_are_one_choice() -> None:
    zones = [zone for zone, _label in groups_of("US")[0][1]]
    assert "America/Detroit" not in zones
    assert "America/Phoenix" in zones  # its clocks do not change


def test_a_zone_that_was_chosen_before_stays_a_choice() -> None:
    assert groups_of("US", "America/Detroit")[0] == ("Chosen now", [("America/Detroit", "Detroit")])
    assert "Chosen now" not in dict(groups_of("US", "America/Denver"))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Asia/Shanghai", "America/Sao_Paulo"])
def test_the_rest_of_the_world_is_offered_at_the_end(zone: str) -> None:
    assert zone in dict(groups_of("US")[-1][1])


@pytest.mark.django_db
@pytest.mark.time_machine(NOW, tick=False)
def test_the_form_of_a_site_keeps_its_zone() -> None:
    owner = builders.organization()
    site = builders.site(owner, timezone="America/Detroit")
    page = coordinator.signed_in(builders.member(owner)).get(reverse("organizer_edit_site", args=[site.pk]))
    assert '<option value="America/Detroit" selected>Detroit</option>' in page.content.decode()


@pytest.mark.django_db
def test_an_organization_without_a_zone_has_the_zone_of_its_first_site() -> None:
    organization = builders.organization()
    assert time_zones.find_zone(organization) == "UTC"
    builders.site(builders.organization(), "America/Denver")  # of another organization
    assert time_zones.find_zone(organization) == "UTC"
    builders.site(organization, "America/Los_Angeles")
    builders.site(organization, "America/New_York")
    assert time_zones.find_zone(organization) == "America/Los_Angeles"
    organization.timezone = "America/Chicago"
    assert time_zones.find_zone(organization) == "America/Chicago"
