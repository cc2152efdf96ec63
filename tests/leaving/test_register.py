"""Of every column somebody has decided what becomes of it when a person is erased."""

from django.apps import apps

from tests.leaving import register


def test_every_column_that_can_hold_a_word_is_decided_upon() -> None:
    undecided = sorted(set(register.worded_columns()) - set(register.decided()))
    assert undecided == [], "add each to tests/leaving/register.py, and to the erasure and the export if it is personal"


def test_no_column_is_decided_upon_that_is_not_there() -> None:
    assert sorted(set(register.decided()) - set(register.worded_columns())) == []


def test_every_table_from_which_something_leads_to_a_person_is_decided_upon() -> None:
    """The row of an erased volunteer stays: what hangs on it stays too, unless the erasure takes it away."""
    people = {"volunteers.Volunteer", "volunteers.Contact", "volunteers.Registration", "drives.Booking"}
    leading = {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model and field.related_model._meta.label in people
    }
    assert leading <= {label for label, _column in register.decided()}
