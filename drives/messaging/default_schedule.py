"""The default message schedule: which messages are on, when they are sent, and by which channel."""

from drives.domain.message_kinds import ScheduledKind
from drives.domain.reminder_times import EntrySettings, MessageSchedule
from notifications.kinds import ChannelChoice

# Two reminders work best: 4.4 % of donors miss the visit with 3 days and 1 day, but 5.8 % or 5.3 % with only one.
# The 7-day reminder reaches only donors who booked more than ten days before (`is_worth_sending`).
DEFAULT_SCHEDULE: MessageSchedule = {
    entry.kind: entry
    for entry in (
        EntrySettings(ScheduledKind.BOOKED, ChannelChoice.BOTH),
        EntrySettings(ScheduledKind.WEEK, ChannelChoice.MAIL, days=7),
        EntrySettings(ScheduledKind.THREE_DAYS, ChannelChoice.TEXT, days=3),
        EntrySettings(ScheduledKind.DAY_BEFORE, ChannelChoice.TEXT, days=1),
        EntrySettings(ScheduledKind.SAME_DAY, ChannelChoice.TEXT, hours=2, is_enabled=False),
        EntrySettings(ScheduledKind.THANK_YOU, ChannelChoice.BOTH),
        EntrySettings(ScheduledKind.MISSED, ChannelChoice.BOTH),
        EntrySettings(ScheduledKind.INVITATION, ChannelChoice.TEXT),
    )
}
