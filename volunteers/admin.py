"""The admin looks; people are changed by the actions behind the organizer's pages."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from volunteers.models import Contact, Registration, Volunteer

# Generic for the type checker only.
if TYPE_CHECKING:
    RowAdmin = admin.ModelAdmin[Any]
else:
    RowAdmin = admin.ModelAdmin


class ReadOnlyAdmin(RowAdmin):
    """Rows to look at: nothing is added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Volunteer)
class VolunteerAdmin(ReadOnlyAdmin):
    """The people of an organization."""

    list_display = ["name", "organization", "language", "created_at"]
    list_filter = ["organization"]
    search_fields = ["name"]
    exclude = ["link_hash", "epoch"]


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    """Numbers and mailboxes, and whose they are."""

    list_display = ["address", "kind", "organization", "owner", "proved_at"]
    list_filter = ["organization", "kind"]
    list_select_related = ["organization", "owner"]
    search_fields = ["address"]
    exclude = ["link_hash", "epoch", "identity"]


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    """What was typed before it was proved."""

    list_display = ["id", "organization", "source", "created_at", "proved_at"]
    list_filter = ["organization", "source"]
    exclude = ["identity"]
