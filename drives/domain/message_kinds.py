from django.db import models

from notifications import kinds


class ScheduledKind(models.TextChoices):
    """The kinds of messages in a message schedule."""

    BOOKED = kinds.BOOKED.name, kinds.BOOKED.label
    WEEK = kinds.WEEK.name, kinds.WEEK.label
    THREE_DAYS = kinds.THREE_DAYS.name, kinds.THREE_DAYS.label
    DAY_BEFORE = kinds.DAY_BEFORE.name, kinds.DAY_BEFORE.label
    SAME_DAY = kinds.SAME_DAY.name, kinds.SAME_DAY.label
    THANK_YOU = kinds.THANK_YOU.name, kinds.THANK_YOU.label
    MISSED = kinds.MISSED.name, kinds.MISSED.label
    INVITATION = kinds.INVITATION.name, kinds.INVITATION.label
