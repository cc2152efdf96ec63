"""Which messages go out, when and in whose words: plans, own texts, sending hours. Edits replan what is queued."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.capacity import locks
from drives.domain import reminder_times
from drives.domain.reminder_times import Plan
from drives.messaging import custom_texts, reschedule, schedule
from drives.messaging.texts import catalog
from drives.messaging.texts.catalog import OwnWords
from drives.models import Drive, DriveState, OwnText, PlanLine
from drives.web import links
from notifications import envelopes, kinds, outbox
from notifications.envelopes import Addressee
from notifications.models import Channel
from notifications.notice import Notice, Wording
from organizations import audit
from organizations.models import Organization


class ChangedMeanwhile(ValidationError):
    """Somebody else changed the plan or the words since they were read."""

    def __init__(self) -> None:
        text = _(
            "Somebody else has changed this in the meantime. What you typed is still here: compare, then save again."
        )
        super().__init__(text, code="version_changed")


@transaction.atomic
def change_plan(*, organization: Organization, plan: Plan, version: str, actor: str, now: datetime) -> int:
    """Make this the organization's plan and replan every coming drive; return how many people get other reminders.

    Refuses, by kind and field, a plan with problems, and an older `version` (`reminding.fingerprint`).
    Locks: coming drives (exclusive, by id), bookings by id, their messages.
    """
    _refuse_problems(plan)
    ids = _lock_coming_drives(organization, now)
    if reminder_times.fingerprint(schedule.organization_plan(organization)) != version:
        raise ChangedMeanwhile
    _write_lines(organization, None, plan, reminder_times.DEFAULT_PLAN)
    _note(organization, actor, "change_message_plan", f"organization:{organization.pk}", now)
    return reschedule.replan(organization=organization, drive_ids=ids, now=now)


@transaction.atomic
def change_drive_plan(*, drive: Drive, plan: Plan, version: str, actor: str, now: datetime) -> int:
    """Give a drive a plan of its own and replan its bookings. Refuses as `change_plan`. Locks: drive, bookings."""
    _refuse_problems(plan)
    locks.drive_exclusive(drive.pk)
    if reminder_times.fingerprint(schedule.drive_plan(drive)) != version:
        raise ChangedMeanwhile
    _write_lines(drive.organization, drive, plan, {})
    _note(drive.organization, actor, "change_message_plan", f"drive:{drive.pk}", now)
    return reschedule.replan(organization=drive.organization, drive_ids=[drive.pk], now=now)


@transaction.atomic
def drop_drive_plan(*, drive: Drive, actor: str, now: datetime) -> int:
    """Let the organization's plan hold for a drive again. Locks: drive (exclusive), bookings by id."""
    locks.drive_exclusive(drive.pk)
    PlanLine.objects.filter(drive=drive).delete()
    _note(drive.organization, actor, "drop_message_plan", f"drive:{drive.pk}", now)
    return reschedule.replan(organization=drive.organization, drive_ids=[drive.pk], now=now)


@transaction.atomic
def change_words(
    *, organization: Organization, kind: str, language: str, words: OwnWords, version: str, actor: str, now: datetime
) -> OwnWords:
    """Keep an organization's own words for a kind of message; blank ones are ours again.

    What is not yet written uses them at once. Refuses, by field, words that are too long, name unknown facts or hold a
    link, and an older `version` (`catalog.fingerprint`). Returns the words as kept: one line, no invisible characters.
    """
    kept = OwnWords(catalog.cleaned(words.text), catalog.cleaned(words.opening))
    refuse_words(organization, kind, language, kept)
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)  # two edits at once take turns
    before = schedule.own_words([organization.pk])[organization.pk].get((kind, language), OwnWords())
    if catalog.fingerprint(before) != version:
        raise ChangedMeanwhile
    rows = OwnText.objects.filter(organization=organization, kind=kind, language=language)
    if kept == OwnWords():
        rows.delete()
    else:
        fields = {"text": kept.text, "opening": kept.opening, "changed_at": now}
        OwnText.objects.update_or_create(organization=organization, kind=kind, language=language, defaults=fields)
    about = f"organization:{organization.pk}"
    audit.note(
        organization=organization, actor=actor, verb="change_words", about=about, fields=[f"{kind}/{language}"], now=now
    )
    return kept


def refuse_words(organization: Organization, kind: str, language: str, words: OwnWords) -> None:
    """Raise, by field, what is wrong with own words. Part of `change_words` and of its preview."""
    measured = catalog.measure_longest(words.text, language, organization.sms_name, links.link_length())
    by_field = {
        "text": custom_texts.problems(kind, words.text, measured) if words.text else [],
        "opening": custom_texts.opening_problems(kind, words.opening),
    }
    errors = {
        name: [ValidationError(problem.detail, code=problem.code) for problem in problems]
        for name, problems in by_field.items()
        if problems
    }
    if errors:
        raise ValidationError(errors)


@transaction.atomic
def change_sending(
    *,
    organization: Organization,
    quiet_until_hour: int,
    quiet_from_hour: int,
    sms_price: Decimal,
    sms_currency: str,
    actor: str,
    now: datetime,
) -> int:
    """Change the hours in which messages leave and the price of a text; other hours replan every coming drive.

    Returns how many people get other reminders. Locks: coming drives (exclusive, by id), bookings by id.
    """
    ids = _lock_coming_drives(organization, now)
    hours = (quiet_until_hour, quiet_from_hour)
    before = Organization.objects.values_list("quiet_until_hour", "quiet_from_hour").get(pk=organization.pk)
    organization.quiet_until_hour, organization.quiet_from_hour = hours
    organization.sms_price, organization.sms_currency = sms_price, sms_currency
    changed = ["quiet_until_hour", "quiet_from_hour", "sms_price", "sms_currency"]
    organization.save(update_fields=changed)
    about = f"organization:{organization.pk}"
    audit.note(organization=organization, actor=actor, verb="change_sending", about=about, fields=changed, now=now)
    if before == hours:
        return 0
    return reschedule.replan(organization=organization, drive_ids=ids, now=now)


@transaction.atomic
def send_test(
    *, organization: Organization, address: str, wordings: Sequence[Wording], key: str, language: str, now: datetime
) -> int:
    """Mail what a message would say to the coordinator who wrote it. `key` makes a second tap harmless."""
    told = [
        Notice(envelope, wording)
        for position, wording in enumerate(wordings)
        for envelope in envelopes.make(
            kinds.TEST,
            Addressee([(Channel.EMAIL, address)], language=language),
            key=f"test:{organization.pk}/{key}/{position}",
            about=f"organization:{organization.pk}",
            due_at=now,
        )
    ]
    return outbox.queue(organization=organization, notices=told, now=now)


def _refuse_problems(plan: Plan) -> None:
    by_field: dict[str, list[ValidationError]] = {}
    for problem in reminder_times.problems(plan):
        name = f"{problem.kind}-{problem.field}"
        by_field.setdefault(name, []).append(ValidationError(problem.detail, code=problem.code))
    if by_field:
        raise ValidationError(by_field)


def _lock_coming_drives(organization: Organization, now: datetime) -> list[int]:
    """The drives whose reminders an organization's plan may change, locked: bookings wait, and read the new plan."""
    # Two edits at once wait for each other here, also where there is no drive yet.
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    over = (DriveState.CANCELLED, DriveState.COMPLETED)
    rows = Drive.objects.of(organization).filter(ends_at__gt=now).exclude(state__in=over)
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    locks.drives_exclusive(ids)
    return ids


def _write_lines(organization: Organization, drive: Drive | None, plan: Plan, unchanged: Plan) -> None:
    """Keep the lines that differ from what would hold without them."""
    PlanLine.objects.filter(organization=organization, drive=drive).delete()
    PlanLine.objects.bulk_create(
        PlanLine(organization=organization, drive=drive, **reminder_times.as_columns(line))
        for line in reminder_times.tidy(plan).values()
        if unchanged.get(line.kind) != line
    )


def _note(organization: Organization, actor: str, verb: str, about: str, now: datetime) -> None:
    audit.note(organization=organization, actor=actor, verb=verb, about=about, now=now)
