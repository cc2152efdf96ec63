from django.contrib import admin

from organizations.web.read_only_admin import ReadOnlyAdmin
from volunteers.models import Contact, Registration, Volunteer


@admin.register(Volunteer)
class VolunteerAdmin(ReadOnlyAdmin):
    list_display = ["name", "organization", "language", "created_at"]
    list_filter = ["organization"]
    search_fields = ["name"]
    exclude = ["link_hash", "link_seal", "epoch"]


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    list_display = ["address", "kind", "organization", "owner", "verified_at"]
    list_filter = ["organization", "kind"]
    list_select_related = ["organization", "owner"]
    search_fields = ["address"]
    exclude = ["link_hash", "link_seal", "epoch", "identity"]


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    list_display = ["id", "organization", "source", "created_at", "verified_at"]
    list_filter = ["organization", "source"]
    exclude = ["identity"]
