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
    """Format a sum in whole cents, as 12.50 USD. A sum below one cent must not read as nothing."""
    if 0 < amount < CENT:
        return _("less than %(cent)s") % {"cent": _format_amount(CENT, 2, currency)}
    return _format_amount(amount, 2, currency)


@register.filter
def price(amount: Decimal, currency: str) -> str:
    """Format a price of one segment, which has fractions of a cent: as 0.0118 USD."""
    return _format_amount(amount, 4, currency)


def _format_amount(amount: Decimal, decimals: int, currency: str) -> str:
    return f"{number_format(amount, decimal_pos=decimals, use_l10n=True)} {currency}"
