"""Describe a drive for search engines and other programs (schema.org Event, as JSON-LD)."""

import json
from typing import Any, Final

from django.utils.safestring import SafeString, mark_safe

from drives.models import Drive, DriveState
from drives.public.queries import DrivePage
from drives.web import links

# Escape the characters that could end the script element or start a comment.
_ESCAPES: Final = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def render_event(page: DrivePage, address: str, picture: str, description: str) -> SafeString:
    text = json.dumps(build_event(page, address, picture, description), ensure_ascii=False)
    return mark_safe(text.translate(_ESCAPES))  # noqa: S308  no markup is left


def build_event(page: DrivePage, address: str, picture: str, description: str) -> dict[str, Any]:
    drive = page.drive
    site, organization, zone = drive.site, drive.organization, drive.site.zone
    cancelled = drive.state == DriveState.CANCELLED
    return {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": str(drive.title),
        "description": description,
        "startDate": drive.starts_at.astimezone(zone).isoformat(),
        "endDate": drive.ends_at.astimezone(zone).isoformat(),
        "eventStatus": f"https://schema.org/{'EventCancelled' if cancelled else 'EventScheduled'}",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "isAccessibleForFree": True,
        "url": address,
        "image": picture,
        "location": {
            "@type": "Place",
            "name": site.name,
            "address": {
                "@type": "PostalAddress",
                "streetAddress": site.address,
                "addressLocality": site.city,
                "addressRegion": site.region,
                "postalCode": site.postal_code,
                "addressCountry": site.country,
            },
        },
        "organizer": {
            "@type": "Organization",
            "name": organization.name,
            "url": organization.website or links.build_absolute_url(f"/o/{organization.slug}/"),
        },
        "offers": _build_offer(drive, page, address),
    }


def _build_offer(drive: Drive, page: DrivePage, address: str) -> dict[str, Any]:
    is_open = drive.state == DriveState.PUBLISHED and not page.is_full
    return {
        "@type": "Offer",
        "price": 0,
        "priceCurrency": "USD",
        "availability": f"https://schema.org/{'InStock' if is_open else 'SoldOut'}",
        "url": address,
    }
