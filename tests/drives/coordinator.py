"""Steps that a coordinator takes in a browser."""

from typing import Any

from django.conf import settings
from django.test import Client
from django.urls import reverse

from drives.models import Booking, Drive, Policy, Site
from organizations.models import Membership, User


def signed_in(membership: Membership) -> Client:
    client = Client()
    client.force_login(membership.user)
    return client


class AllDay(Client):
    """A browser that stays signed in, for tests that move the clock by days."""

    def __init__(self, user: User) -> None:
        super().__init__()
        self.user = user

    def request(self, **request: Any) -> Any:
        self.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        self.force_login(self.user)
        return super().request(**request)


def typed(site: Site, policy: Policy, **changes: Any) -> dict[str, Any]:
    """Return the completed form for a plan: a Saturday, 9:00 to 15:00, four chairs."""
    return {
        "title": "Plasma drive",
        "day": "2027-03-13",
        "opens": "09:00",
        "closes": "15:00",
        "site": str(site.pk),
        "policy": str(policy.pk),
        "chairs": "4",
        "screening_stations": "2",
        "step_minutes": "15",
        "grace_minutes": "60",
        "goal": "20",
        **changes,
    }


def organizer_addresses(drive: Drive, booking_id: int) -> dict[str, str]:
    """Return URLs under /organizer/ and /checkin/ that name a row of one organization, such as a drive or a booking."""
    of_drive = (
        "drive",
        "edit_drive",
        "roster",
        "roster_csv",
        "publish_drive",
        "close_drive",
        "cancel_drive",
        "copy_drive",
        "share",
        "checklist",
        "add_own_task",
        "qr_svg",
        "qr_png",
        "poster",
        "turnout",
        "complete_drive",
        "add_booking",
        "drive_message_schedule",
        "broadcasts",
        "write_broadcast",
        "call_list",
        "waitlist",
        "close_waitlist",
        "new_waitlist_entry",
    )
    of_booking = ("booking", "move_booking", "move_party", "cancel_booking", "resend", "stop_messages")
    person = Booking.objects.get(pk=booking_id).volunteer_id or 0
    return {
        **{name: reverse(f"organizer_{name}", args=[person]) for name in ("export_person", "erase_person")},
        **{name: reverse(f"organizer_{name}", args=[drive.pk]) for name in of_drive},
        **{name: reverse(f"organizer_{name}", args=[booking_id]) for name in of_booking},
        **{
            f"task_{name}": reverse(f"organizer_{name}_task", args=[drive.pk, "room"])
            for name in ("check_off", "reopen", "remove_own")
        },
        "rename": reverse("organizer_rename_person", args=[person]),
        "who": reverse("organizer_person", args=[person]),
        "merge": reverse("organizer_merge_people", args=[person, person + 1]),
        "site": reverse("organizer_edit_site", args=[drive.site_id]),
        "center": reverse("organizer_center", args=[drive.center_id]),
        "cause": reverse("organizer_edit_cause", args=[drive.cause_id]),
        "checkin": reverse("checkin", args=[drive.slug]),
        "walk_in": reverse("checkin_walk_in", args=[drive.slug]),
        "late": reverse("checkin_running_late", args=[drive.slug]),
        "reached": reverse("organizer_mark_reached", args=[drive.pk, f"booking:{booking_id}"]),
        "not_reached": reverse("organizer_unmark_reached", args=[drive.pk, f"booking:{booking_id}"]),
        "wait_remove": reverse("organizer_remove_waitlist_entry", args=[drive.pk, booking_id]),
        "person": reverse("checkin_booking", args=[drive.slug, booking_id]),
        **{
            f"act_{verb}": reverse("checkin_change_state", args=[drive.slug, booking_id, verb])
            for verb in ("in", "undo")
        },
    }
