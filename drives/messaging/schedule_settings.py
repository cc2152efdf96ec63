"""Which messages go out, when and in whose words: plans, own texts, sending hours. Edits replan what is queued."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.capacity import locks
from drives.domain import reminder_times
from drives.domain.reminder_times import MessageSchedule
from drives.messaging import custom_texts, reschedule, schedule
from drives.messaging.texts import catalog
from drives.messaging.texts.catalog import TextTemplate
from drives.models import CustomText, Drive, DriveState, ScheduleEntry
from drives.web import links
from notifications import envelopes, kinds, outbox
from notifications.envelopes import Addressee
from notifications.message_content import MessageContent, RenderedMessage
from notifications.models import Channel
from organizations import audit
from organizations.models import Organization


class SettingsVersionChanged(ValidationError):
    """Somebody else changed the plan or the words since they were read."""

    def __init__(self) -> None:
        text = _(
            "Somebody else has changed this in the meantime. What you typed is still here: compare, then save again."
        )
        super().__init__(text, code="version_changed")


@transaction.atomic
def change_message_schedule(
    *, organization: Organization, message_schedule: MessageSchedule, version: str, actor: str, now: datetime
) -> int:
    """Make this the organization's plan and replan every coming drive; return how many people get other reminders.

    Refuses, by kind and field, a plan with problems, and an older `version` (`reminding.fingerprint`).
    Locks: coming drives (exclusive, by id), bookings by id, their messages.
    """
    _refuse_problems(message_schedule)
    ids = _lock_upcoming_drives(organization, now)
    if reminder_times.compute_schedule_fingerprint(schedule.load_organization_schedule(organization)) != version:
        raise SettingsVersionChanged
    _save_schedule_entries(organization, None, message_schedule, reminder_times.DEFAULT_SCHEDULE)
    _note(organization, actor, "change_message_plan", f"organization:{organization.pk}", now)
    return reschedule.reschedule_reminders(organization=organization, drive_ids=ids, now=now)


@transaction.atomic
def change_drive_message_schedule(
    *, drive: Drive, message_schedule: MessageSchedule, version: str, actor: str, now: datetime
) -> int:
    """Give a drive a plan of its own and replan its bookings. Refuses as `change_message_schedule`. Locks: drive,
    bookings.
    """
    _refuse_problems(message_schedule)
    locks.lock_drive_exclusive(drive.pk)
    if reminder_times.compute_schedule_fingerprint(schedule.load_drive_schedule(drive)) != version:
        raise SettingsVersionChanged
    _save_schedule_entries(drive.organization, drive, message_schedule, {})
    _note(drive.organization, actor, "change_message_plan", f"drive:{drive.pk}", now)
    return reschedule.reschedule_reminders(organization=drive.organization, drive_ids=[drive.pk], now=now)


@transaction.atomic
def reset_drive_message_schedule(*, drive: Drive, actor: str, now: datetime) -> int:
    """Let the organization's plan hold for a drive again. Locks: drive (exclusive), bookings by id."""
    locks.lock_drive_exclusive(drive.pk)
    ScheduleEntry.objects.filter(drive=drive).delete()
    _note(drive.organization, actor, "drop_message_plan", f"drive:{drive.pk}", now)
    return reschedule.reschedule_reminders(organization=drive.organization, drive_ids=[drive.pk], now=now)


@transaction.atomic
def change_custom_text(
    *,
    organization: Organization,
    kind: str,
    language: str,
    custom_text: TextTemplate,
    version: str,
    actor: str,
    now: datetime,
) -> TextTemplate:
    """Keep an organization's own words for a kind of message; blank ones are ours again.

    What is not yet written uses them at once. Refuses, by field, words that are too long, name unknown facts or hold a
    link, and an older `version` (`catalog.compute_text_version`). Returns the words as kept: one line, no invisible
    characters.
    """
    kept = TextTemplate(catalog.clean_text(custom_text.text), catalog.clean_text(custom_text.opening))
    refuse_custom_text(organization, kind, language, kept)
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)  # two edits at once take turns
    before = schedule.load_custom_texts([organization.pk])[organization.pk].get((kind, language), TextTemplate())
    if catalog.compute_text_version(before) != version:
        raise SettingsVersionChanged
    rows = CustomText.objects.filter(organization=organization, kind=kind, language=language)
    if kept == TextTemplate():
        rows.delete()
    else:
        fields = {"text": kept.text, "opening": kept.opening, "changed_at": now}
        CustomText.objects.update_or_create(organization=organization, kind=kind, language=language, defaults=fields)
    about = f"organization:{organization.pk}"
    audit.add_audit_entry(
        organization=organization, actor=actor, verb="change_words", about=about, fields=[f"{kind}/{language}"], now=now
    )
    return kept


def refuse_custom_text(organization: Organization, kind: str, language: str, custom_text: TextTemplate) -> None:
    """Raise, by field, what is wrong with own words. Part of `change_custom_text` and of its preview."""
    measured = catalog.measure_longest_text(
        custom_text.text, language, organization.sms_name, links.compute_booking_link_length()
    )
    by_field = {
        "text": custom_texts.list_text_problems(kind, custom_text.text, measured) if custom_text.text else [],
        "opening": custom_texts.list_opening_problems(kind, custom_text.opening),
    }
    errors = {
        name: [ValidationError(problem.detail, code=problem.code) for problem in problems]
        for name, problems in by_field.items()
        if problems
    }
    if errors:
        raise ValidationError(errors)


@transaction.atomic
def change_sending_settings(
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
    ids = _lock_upcoming_drives(organization, now)
    hours = (quiet_until_hour, quiet_from_hour)
    before = Organization.objects.values_list("quiet_until_hour", "quiet_from_hour").get(pk=organization.pk)
    organization.quiet_until_hour, organization.quiet_from_hour = hours
    organization.sms_price, organization.sms_currency = sms_price, sms_currency
    changed = ["quiet_until_hour", "quiet_from_hour", "sms_price", "sms_currency"]
    organization.save(update_fields=changed)
    about = f"organization:{organization.pk}"
    audit.add_audit_entry(
        organization=organization, actor=actor, verb="change_sending", about=about, fields=changed, now=now
    )
    if before == hours:
        return 0
    return reschedule.reschedule_reminders(organization=organization, drive_ids=ids, now=now)


@transaction.atomic
def queue_test_message(
    *,
    organization: Organization,
    address: str,
    wordings: Sequence[MessageContent],
    key: str,
    language: str,
    now: datetime,
) -> int:
    """Mail what a message would say to the coordinator who wrote it. `key` makes a second tap harmless."""
    told = [
        RenderedMessage(envelope, wording)
        for position, wording in enumerate(wordings)
        for envelope in envelopes.build_envelopes(
            kinds.TEST,
            Addressee([(Channel.EMAIL, address)], language=language),
            key=f"test:{organization.pk}/{key}/{position}",
            about=f"organization:{organization.pk}",
            due_at=now,
        )
    ]
    return outbox.queue_messages(organization=organization, messages=told, now=now)


def _refuse_problems(message_schedule: MessageSchedule) -> None:
    by_field: dict[str, list[ValidationError]] = {}
    for problem in reminder_times.find_schedule_problems(message_schedule):
        name = f"{problem.kind}-{problem.field}"
        by_field.setdefault(name, []).append(ValidationError(problem.detail, code=problem.code))
    if by_field:
        raise ValidationError(by_field)


def _lock_upcoming_drives(organization: Organization, now: datetime) -> list[int]:
    """The drives whose reminders an organization's plan may change, locked: bookings wait, and read the new plan."""
    # Two edits at once wait for each other here, also where there is no drive yet.
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    over = (DriveState.CANCELLED, DriveState.COMPLETED)
    rows = Drive.objects.of(organization).filter(ends_at__gt=now).exclude(state__in=over)
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    locks.lock_drives_exclusive(ids)
    return ids


def _save_schedule_entries(
    organization: Organization, drive: Drive | None, message_schedule: MessageSchedule, unchanged: MessageSchedule
) -> None:
    """Keep the lines that differ from what would hold without them."""
    ScheduleEntry.objects.filter(organization=organization, drive=drive).delete()
    ScheduleEntry.objects.bulk_create(
        ScheduleEntry(organization=organization, drive=drive, **reminder_times.build_entry_columns(line))
        for line in reminder_times.normalize_schedule(message_schedule).values()
        if unchanged.get(line.kind) != line
    )


def _note(organization: Organization, actor: str, verb: str, about: str, now: datetime) -> None:
    audit.add_audit_entry(organization=organization, actor=actor, verb=verb, about=about, now=now)
