from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from drives.domain import localtime

register = template.Library()

CENT = Decimal("0.01")


register.filter("hour", localtime.format_hour)


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """Format an amount like "12.50 USD", or "less than 0.01 USD", because a cost must not look like zero."""
    if 0 < amount < CENT:
        return _("less than %(cent)s") % {"cent": _format_amount(CENT, 2, currency)}
    return _format_amount(amount, 2, currency)


@register.filter
def price(amount: Decimal, currency: str) -> str:
    """Format the price of one segment, with fractions of a cent, like "0.0118 USD"."""
    return _format_amount(amount, 4, currency)


def _format_amount(amount: Decimal, decimals: int, currency: str) -> str:
    return f"{number_format(amount, decimal_pos=decimals, use_l10n=True)} {currency}"
