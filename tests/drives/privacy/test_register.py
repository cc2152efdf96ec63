"""The register says for every column what an erasure does with it."""

from typing import Any

import pytest
from django.db import models
from django.test.utils import isolate_apps

from tests.drives.privacy import register
from volunteers.models import Volunteer


def test_every_column_that_can_hold_a_word_is_decided_upon() -> None:
    assert {table._meta.app_label for table in register.our_tables()} >= {"drives", "volunteers", "notifications"}
    told = "add each to tests/drives/privacy/register.py, and to the erasure and the export if it is personal"
    assert register.undecided(register.our_tables()) == [], told


def test_no_column_is_decided_upon_that_is_not_there() -> None:
    assert sorted(set(register.decided()) - set(register.worded_columns(register.our_tables()))) == []


def test_no_column_is_decided_upon_twice() -> None:
    assert register.decided_twice() == []


def test_every_table_from_which_something_leads_to_a_person_is_decided_upon() -> None:
    assert register.undecided_tables(register.our_tables()) == []


@pytest.mark.parametrize(
    "column",
    [
        models.CharField(max_length=40),
        models.TextField(),
        models.JSONField(),
        models.EmailField(),
        models.GenericIPAddressField(),
        models.UUIDField(),
        models.BinaryField(),
        models.FileField(),
    ],
    ids=lambda column: type(column).__name__,
)
@pytest.mark.parametrize("label", ["volunteers.Volunteer", "drives.Drive", "drives.Slot", "drives.NewTable"])
def test_control_a_new_column_is_caught(label: str, column: "models.Field[Any, Any]") -> None:
    """A new text column in each of four tables is reported as undecided.

    The tables are one about donors, one about plans, one without text columns, and a new one.
    """
    app, _, name = label.partition(".")
    with isolate_apps(app):
        meta = type("Meta", (), {"app_label": app})
        body = {"__module__": __name__, "Meta": meta, "nickname": column.clone(), "seen_at": models.DateTimeField()}
        seeded = type(name, (models.Model,), body)
    assert register.undecided([seeded]) == [(label, "nickname")]


@isolate_apps("drives")
def test_control_a_new_table_about_people_is_caught() -> None:
    class Turn(models.Model):
        person = models.ForeignKey(Volunteer, on_delete=models.CASCADE, related_name="+")

        class Meta:
            app_label = "drives"

    assert register.undecided_tables([Turn]) == ["drives.Turn"]
