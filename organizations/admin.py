"""Admin pages for users and organizations."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpRequest

from organizations.models import ApiKey, AuditEntry, Cause, CauseFact, Membership, Organization, User

# The class is generic only for the type checker.
if TYPE_CHECKING:
    RowAdmin = admin.ModelAdmin[Any]
    RowInline = admin.TabularInline[Any, Any]
    BaseUserAdmin = UserAdmin[User]
else:
    BaseUserAdmin = UserAdmin
    RowAdmin, RowInline = admin.ModelAdmin, admin.TabularInline


class ReadOnlyAdmin(RowAdmin):
    """Rows can be viewed, but not added, changed or deleted."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MembershipInline(RowInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


class CauseFactInline(RowInline):
    model = CauseFact
    extra = 0


@admin.register(User)
class CoordinatorAdmin(BaseUserAdmin):
    """Users are created here, because sign-up is closed."""

    add_form = AdminUserCreationForm
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_active", "is_staff"]
    search_fields = ["email", "first_name", "last_name"]
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (None, {"fields": ("first_name", "last_name", "is_active", "is_staff", "is_superuser")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)


@admin.register(Organization)
class OrganizationAdmin(RowAdmin):
    list_display = ["name", "slug", "email", "country"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MembershipInline]


@admin.register(Cause)
class CauseAdmin(RowAdmin):
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
