from django.contrib import admin

from organizations.models import ApiKey, AuditEntry, Cause, CauseFact, Membership, Organization, User
from organizations.web.read_only_admin import ReadOnlyAdmin, ReadOnlyInline


class MembershipInline(ReadOnlyInline):
    model = Membership


class CauseFactInline(ReadOnlyInline):
    model = CauseFact


@admin.register(User)
class CoordinatorAdmin(ReadOnlyAdmin):
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_active", "is_staff"]
    search_fields = ["email", "first_name", "last_name"]
    fields = ["email", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "last_login"]


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin):
    list_display = ["name", "slug", "email", "country"]
    search_fields = ["name", "slug"]
    inlines = [MembershipInline]


@admin.register(Cause)
class CauseAdmin(ReadOnlyAdmin):
    list_display = ["title", "organization"]
    list_filter = ["organization"]
    inlines = [CauseFactInline]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["name", "organization", "prefix", "role", "created_at", "expires_at", "revoked_at"]
    exclude = ["secret_hash"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "organization", "actor", "verb", "about", "fields"]
    list_filter = ["organization", "verb"]
