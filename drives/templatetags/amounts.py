from decimal import Decimal

from django import template
from django.utils.formats import number_format

from drives.domain import localtime

register = template.Library()


register.filter("hour", localtime.format_hour)


@register.filter
def money(amount: Decimal, currency: str) -> str:
    return f"{number_format(amount, decimal_pos=4, use_l10n=True)} {currency}"
