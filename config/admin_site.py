"""The admin site. Only staff with a second sign-in step may open it, and all of its pages are read-only."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from organizations import queries
from organizations.web.read_only_admin import ReadOnlyAdmin


class ReadOnlyAdminSite(admin.AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not queries.signs_in_with_password_only(request.user.pk or 0)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the sign-in page. Send staff without a second sign-in step to the page to set one up."""
        if super().has_permission(request) and not self.has_permission(request):
            messages.info(request, _("First set up two-step sign-in with an app or a passkey."))
            return redirect("mfa_index")
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register only read-only pages. Ignore the pages of other packages, because they can change rows."""
        if admin_class and issubclass(admin_class, ReadOnlyAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        raise PermissionDenied  # the list would show names without an audit entry
