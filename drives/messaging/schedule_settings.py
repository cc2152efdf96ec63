"""Change message schedules, custom texts and quiet hours, and reschedule the queued reminders."""

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
from drives.messaging.default_schedule import DEFAULT_SCHEDULE
from drives.messaging.texts import wording
from drives.messaging.texts.wording import TextTemplate
from drives.models import CustomText, Drive, DriveState, ScheduleEntry
from drives.web import links
from notifications import envelopes, kinds, outbox
from notifications.envelopes import Addressee
from notifications.message_content import MessageContent, RenderedMessage
from notifications.models import Channel
from organizations import audit
from organizations.models import Organization

SENDING_FIELDS = (
    "quiet_until_hour",
    "quiet_from_hour",
    "messages_per_day",
    "codes_per_day",
    "sms_price",
    "sms_currency",
)


class SettingsVersionChanged(ValidationError):
    def __init__(self) -> None:
        text = _(
            "Someone else has changed this in the meantime. What you typed is still here. Compare the two, then save"
            " again."
        )
        super().__init__(text, code="version_changed")


@transaction.atomic
def change_message_schedule(
    *, organization: Organization, message_schedule: MessageSchedule, version: str, actor: str, now: datetime
) -> int:
    """Change the organization's message schedule, and reschedule the reminders of every upcoming drive.

    Return the number of bookings with changed reminders. Refuses a schedule with problems (errors by kind and field),
    and an outdated `version` (`reminder_times.compute_schedule_fingerprint`). Locks: upcoming drives (exclusive, by
    id), bookings by id, their messages.
    """
    _refuse_problems(message_schedule)
    ids = _lock_upcoming_drives(organization, now)
    if reminder_times.compute_schedule_fingerprint(schedule.load_organization_schedule(organization)) != version:
        raise SettingsVersionChanged
    _save_schedule_entries(organization, None, message_schedule, DEFAULT_SCHEDULE)
    _add_audit_entry(organization, actor, "change_message_schedule", f"organization:{organization.pk}", now)
    return reschedule.reschedule_reminders(organization=organization, drive_ids=ids, now=now)


@transaction.atomic
def change_drive_message_schedule(
    *, drive: Drive, message_schedule: MessageSchedule, version: str, actor: str, now: datetime
) -> int:
    """Give a drive its own message schedule, and reschedule the reminders of its bookings.

    Refuses whatever `change_message_schedule` refuses. Locks: drive (exclusive), bookings by id, their messages.
    """
    _refuse_problems(message_schedule)
    locks.lock_drive_exclusive(drive.pk)
    if reminder_times.compute_schedule_fingerprint(schedule.load_drive_schedule(drive)) != version:
        raise SettingsVersionChanged
    # Save all entries, so that later changes to the organization's schedule do not affect this drive.
    _save_schedule_entries(drive.organization, drive, message_schedule, {})
    _add_audit_entry(drive.organization, actor, "change_message_schedule", f"drive:{drive.pk}", now)
    return reschedule.reschedule_reminders(organization=drive.organization, drive_ids=[drive.pk], now=now)


@transaction.atomic
def reset_drive_message_schedule(*, drive: Drive, actor: str, now: datetime) -> int:
    """Reset a drive to the organization's message schedule.

    Locks: drive (exclusive), bookings by id, their messages.
    """
    locks.lock_drive_exclusive(drive.pk)
    ScheduleEntry.objects.filter(drive=drive).delete()
    _add_audit_entry(drive.organization, actor, "reset_message_schedule", f"drive:{drive.pk}", now)
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
    """Save an organization's text for a kind of message. A blank text restores the default.

    Messages that are not rendered yet will use the text. The returned text is cleaned: one line, without invisible
    characters.

    Refuses (by field):
    - a text that is too long
    - a text with an unknown variable or a link
    - an outdated `version` (`wording.compute_text_version`)
    """
    saved = TextTemplate(wording.clean_text(custom_text.text), wording.clean_text(custom_text.opening))
    refuse_custom_text(organization, kind, language, saved)
    # Make simultaneous edits wait for each other.
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    before = schedule.load_custom_texts([organization.pk])[organization.pk].get((kind, language), TextTemplate())
    if wording.compute_text_version(before) != version:
        raise SettingsVersionChanged
    rows = CustomText.objects.filter(organization=organization, kind=kind, language=language)
    if saved == TextTemplate():
        rows.delete()
    else:
        fields = {"text": saved.text, "opening": saved.opening, "changed_at": now}
        CustomText.objects.update_or_create(organization=organization, kind=kind, language=language, defaults=fields)
    about = f"organization:{organization.pk}"
    audit.add_audit_entry(
        organization=organization,
        actor=actor,
        verb="change_custom_text",
        about=about,
        fields=[f"{kind}/{language}"],
        now=now,
    )
    return saved


def refuse_custom_text(organization: Organization, kind: str, language: str, custom_text: TextTemplate) -> None:
    measured = wording.measure_longest_text(
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
    messages_per_day: int,
    codes_per_day: int,
    sms_price: Decimal,
    sms_currency: str,
    actor: str,
    now: datetime,
) -> int:
    """Change the quiet hours, the daily budgets and the price of a text's segment.

    New quiet hours reschedule the reminders of every upcoming drive. Return the number of bookings with changed
    reminders. Locks: upcoming drives (exclusive, by id), bookings by id.
    """
    ids = _lock_upcoming_drives(organization, now)
    hours = (quiet_until_hour, quiet_from_hour)
    before = Organization.objects.values_list("quiet_until_hour", "quiet_from_hour").get(pk=organization.pk)
    organization.quiet_until_hour, organization.quiet_from_hour = hours
    organization.sms_price, organization.sms_currency = sms_price, sms_currency
    organization.messages_per_day, organization.codes_per_day = messages_per_day, codes_per_day
    organization.save(update_fields=SENDING_FIELDS)
    about = f"organization:{organization.pk}"
    audit.add_audit_entry(
        organization=organization, actor=actor, verb="change_sending", about=about, fields=list(SENDING_FIELDS), now=now
    )
    # A new price does not change any reminder.
    if before == hours:
        return 0
    return reschedule.reschedule_reminders(organization=organization, drive_ids=ids, now=now)


@transaction.atomic
def queue_test_message(
    *,
    organization: Organization,
    address: str,
    contents: Sequence[MessageContent],
    key: str,
    language: str,
    now: datetime,
) -> int:
    """E-mail sample messages to a coordinator. A second call with the same `key` queues nothing."""
    rendered = [
        RenderedMessage(envelope, content)
        for position, content in enumerate(contents)
        for envelope in envelopes.build_envelopes(
            kinds.TEST,
            Addressee([(Channel.EMAIL, address)], language=language),
            key=f"test:{organization.pk}/{key}/{position}",
            about=f"organization:{organization.pk}",
            due_at=now,
        )
    ]
    return outbox.queue_messages(organization=organization, messages=rendered, now=now)


def _refuse_problems(message_schedule: MessageSchedule) -> None:
    by_field: dict[str, list[ValidationError]] = {}
    for problem in reminder_times.find_schedule_problems(message_schedule):
        name = f"{problem.kind}-{problem.field}"
        by_field.setdefault(name, []).append(ValidationError(problem.detail, code=problem.code))
    if by_field:
        raise ValidationError(by_field)


def _lock_upcoming_drives(organization: Organization, now: datetime) -> list[int]:
    """Lock the upcoming drives, and return their ids.

    New bookings wait for this lock, so their reminders follow the new schedule.
    """
    # Make simultaneous edits wait for each other, even if there is no drive to lock.
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    over = (DriveState.CANCELLED, DriveState.COMPLETED)
    rows = Drive.objects.of(organization).filter(ends_at__gt=now).exclude(state__in=over)
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    locks.lock_drives_exclusive(ids)
    return ids


def _save_schedule_entries(
    organization: Organization, drive: Drive | None, message_schedule: MessageSchedule, inherited: MessageSchedule
) -> None:
    ScheduleEntry.objects.filter(organization=organization, drive=drive).delete()
    ScheduleEntry.objects.bulk_create(
        ScheduleEntry(organization=organization, drive=drive, **reminder_times.build_entry_columns(entry))
        for entry in reminder_times.normalize_schedule(message_schedule, DEFAULT_SCHEDULE).values()
        if inherited.get(entry.kind) != entry
    )


def _add_audit_entry(organization: Organization, actor: str, verb: str, about: str, now: datetime) -> None:
    audit.add_audit_entry(organization=organization, actor=actor, verb=verb, about=about, now=now)
