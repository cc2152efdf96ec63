"""The kinds of messages that a schedule plans, and the channels they take."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PlannedKind(models.TextChoices):
    """What a plan has a line for: the confirmation, four reminders, what is said afterwards, the next visit."""

    BOOKED = "booked", _("Confirmation")
    WEEK = "week", _("Early reminder")
    THREE_DAYS = "three_days", _("Reminder, some days before")
    DAY_BEFORE = "day_before", _("Reminder, the day before")
    SAME_DAY = "same_day", _("Reminder on the day")
    THANK_YOU = "thank_you", _("Thanks")
    MISSED = "missed", _("We missed you")
    APPEAL = "appeal", _("You may give again")


class Way(models.TextChoices):
    TEXT = "text", _("Text, else e-mail")
    MAIL = "mail", _("E-mail")
    BOTH = "both", _("Text and e-mail")
