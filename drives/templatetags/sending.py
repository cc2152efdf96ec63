"""Hours and prices of messages in words."""

from datetime import UTC, datetime
from decimal import Decimal

from django import template
from django.utils.formats import number_format

from drives.localtime import clock

register = template.Library()


@register.filter
def hour(number: int) -> str:
    """An hour of the day as people say it: 9:00 AM."""
    return clock(datetime(2000, 1, 1, number % 24, tzinfo=UTC), "UTC")


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """A small price with its currency: 0.0118 USD."""
    return f"{number_format(amount, decimal_pos=4, use_l10n=True)} {currency}"
