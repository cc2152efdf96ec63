"""Admin classes for viewing rows without changing them. Each page view adds an audit entry."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from django.contrib import admin
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from organizations import audit
from organizations.models import Organization

# The classes are generic only for the type checker.
if TYPE_CHECKING:
    RowAdmin = admin.ModelAdmin[Any]
    RowInline = admin.TabularInline[Any, Any]
else:
    RowAdmin, RowInline = admin.ModelAdmin, admin.TabularInline


class ReadOnlyAdmin(RowAdmin):
    """Rows can be viewed, but not added, changed or deleted. No action can be run on them."""

    show_full_result_count = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow only the page's own filters. Other lookups would reveal a hidden column, letter by letter."""
        return lookup.split("__", maxsplit=1)[0] in self.list_filter and super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        shown: Mapping[str, Any] = (response.context_data or {}) if isinstance(response, TemplateResponse) else {}
        if "cl" in shown:
            self._audit(request, "admin.listed", self.opts.label_lower, shown["cl"].result_list)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        shown: Mapping[str, Any] = (response.context_data or {}) if isinstance(response, TemplateResponse) else {}
        if row := shown.get("original"):
            self._audit(request, "admin.viewed", f"{self.opts.label_lower}:{row.pk}", [row])
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> NoReturn:
        raise Http404  # the admin changes nothing, so there is no history

    def _audit(self, request: HttpRequest, verb: str, about: str, rows: Iterable[Model]) -> None:
        """Add an entry for each organization of these rows, or one without organization if the page shows no rows."""
        organizations = {_find_organization_id(row) for row in rows} or {None}
        actor, now = f"user:{request.user.pk}", timezone.now()
        audit.add_admin_entries(organization_ids=organizations, actor=actor, verb=verb, about=about, now=now)


def _find_organization_id(row: Model) -> int | None:
    return row.pk if isinstance(row, Organization) else getattr(row, "organization_id", None)


class ReadOnlyInline(RowInline):
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
