"""Create and change the slots of a plan, for `drives.planning.lifecycle`."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext as _

from drives.domain.grid import Step
from drives.models import Drive, Slot
from organizations import slugs


def compute_bounds(drive: Drive, steps: list[Step]) -> dict[str, datetime]:
    ends_at = steps[-1].starts_at + timedelta(minutes=drive.step_minutes)
    return {"starts_at": steps[0].starts_at, "ends_at": ends_at}


def create_slots(drive: Drive, steps: list[Step]) -> None:
    Slot.objects.bulk_create(
        Slot(
            drive=drive,
            n=step.n,
            starts_at=step.starts_at,
            screening_limit=step.screening_limit,
            chairs_limit=step.chairs_limit,
        )
        for step in steps
    )


def find_free_drive_slug(drive: Drive) -> str:
    # The slug must not depend on the language of the request.
    with translation.override(drive.organization.language):
        base = slugify(str(drive.title))[:60] or "drive"
    return slugs.choose_free_slug(Drive, f"{base}-{drive.day:%Y-%m-%d}")


def refuse_grid_change(before: Drive, plan: dict[str, object]) -> None:
    frozen = ("site_id", "starts_at", "ends_at", "step_minutes")
    if any(getattr(before, name) != plan[name] for name in frozen):
        text = _(
            "People have booked, so you can’t change the day, hours, location or time between arrivals. Cancel the "
            "drive or plan another one."
        )
        raise ValidationError({"day": ValidationError(text, code="grid_is_frozen")})


def change_slot_limits(drive: Drive, steps: list[Step]) -> None:
    """Set the limits of the drive's slots. Locks: slots.

    `Slot.over` counts the people above a limit.
    """
    by_n = {step.n: step for step in steps}
    # All actions lock slots in this order.
    slots = list(Slot.objects.filter(drive=drive).order_by("starts_at", "pk").select_for_update(no_key=True))
    for slot in slots:
        step = by_n[slot.n]
        slot.screening_limit, slot.chairs_limit = step.screening_limit, step.chairs_limit
        above = (slot.screening_taken - slot.screening_limit, slot.chairs_taken - slot.chairs_limit)
        slot.over = max(0, *above)
    Slot.objects.bulk_update(slots, ["screening_limit", "chairs_limit", "over"])
