"""An export contains everything about the donor, no secrets, and nothing about others."""

import json
from typing import Any

import pytest
from django.db import models
from django.test import override_settings

from drives.models import Booking
from drives.privacy import erase, export
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives.inbox.test_conversations import say
from tests.drives.privacy.planted import CANARIES, IP, Planted, plant
from tests.drives.privacy.register import LEFT_OUT, PERSONAL
from tests.query_counts import Act
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def exported(of: Planted) -> str:
    return json.dumps(export.build_export(of.volunteer, NOW), ensure_ascii=False)


def values(model: type[models.Model], column: str) -> list[Any]:
    """Return the values of a personal column. All belong to Ana, because the database contains no other person."""
    return [value for value in model._default_manager.values_list(column, flat=True) if value not in (None, "", [], {})]


def test_every_canary_is_in_it() -> None:
    text = exported(plant()).lower()
    plain = ["quokka", "ñandú", "+12015550142", "(201) 555-0142", "quokka.canary@example.net", IP]
    missing = [word for word in (*plain, *CANARIES["reply"], *CANARIES["answer"]) if word not in text]
    assert missing == []
    assert all(word in text for word in (*CANARIES["override"], *CANARIES["reason"]))


def test_every_value_of_every_personal_column_is_in_it() -> None:
    """The register lists the personal columns, so a developer must export or exclude each new column."""
    ana = plant()
    say("STOP", NOW)
    text = exported(ana)
    lost = {
        (model, column): missing
        for model, column in PERSONAL
        if (model._meta.label, column) not in LEFT_OUT
        and (missing := [one for one in values(model, column) if json.dumps(one, ensure_ascii=False)[1:-1] not in text])
    }
    assert lost == {}


def test_no_link_or_code_is_in_it() -> None:
    ana = plant()
    document = export.build_export(ana.volunteer, NOW)
    del document["messages"]  # a sent text contains its link
    text = json.dumps(document)
    assert not any(token in text for token in (*ana.tokens, ana.feed, ana.stop))
    codes = [row for row in export.build_export(ana.volunteer, NOW)["messages"] if row["kind"] == "code"]
    assert codes
    assert {row["text"] for row in codes} == {""}


def test_nothing_about_others_is_in_it() -> None:
    ana = plant()
    builders.booked(ana.drive, n=12, number=7, name="Test Dan Dow")
    builders.booked(builders.drive(day=builders.DRIVE_DAY.replace(month=5)), number=42, name="Test Cleo Copper")
    text = exported(ana)
    assert '"is_for_other": false' in text
    assert "Dow" not in text
    assert builders.phone(7) not in text
    assert "Copper" not in text
    assert "user:7" not in text


@override_settings(RATE_LIMITS=False)
def test_the_number_of_queries_does_not_depend_on_the_rows() -> None:
    def prepare(count: int) -> Act:
        owner = builders.organization()
        site = builders.site(owner)
        days = [builders.DRIVE_DAY.replace(month=month) for month in range(3, 3 + 2 * count)]
        booked = [builders.booked(builders.drive(owner, day=day), number=count) for day in days[:count]]
        for number, day in enumerate(days[count:], 50 + 10 * count):
            full = builders.drive(owner, builders.plain(site, spots=1, steps=1, day=day))
            builders.booked(full, number=number)
            builders.waits(full, number=count)
        person = Volunteer.objects.select_related("organization").get(bookings=booked[0])

        def act() -> None:
            document = export.build_export(person, NOW)
            assert (len(document["bookings"]), len(document["waitlist_entries"])) == (count, count)

        return act

    assert query_counts.count_for_each(prepare) <= 20


def test_after_an_erasure_there_is_nothing_to_export() -> None:
    ana = plant()
    erase.erase_volunteer(volunteer_id=ana.volunteer_id, reason="asked", actor="donor", now=NOW)
    document = export.build_export(ana.volunteer, NOW)
    assert document["person"]["name"] == "Erased"
    assert document["person"]["contacts"] == []
    assert document["registrations"] == document["consents"] == document["replies"] == []
    assert not Booking.objects.exclude(override_reason="").exists()
