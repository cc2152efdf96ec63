"""Admin pages for messages and senders. Only the limits of a sender can be edited."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from notifications import senders
from notifications.models import ConsentEntry, InboundMessage, Message, Report, Sender, Suppression
from organizations.admin import ReadOnlyAdmin


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Message texts are hidden because they contain donors' codes and links."""

    list_display = ["key", "channel", "state", "reason", "error_code", "due_at", "attempts", "resends"]
    list_filter = ["state", "channel", "reason"]
    search_fields = ["=key", "=about", "=provider_id"]
    list_select_related = ["organization"]
    exclude = ["text", "subject", "html", "calendar", "unsubscribe_url", "attempt_token"]


@admin.register(Sender)
class SenderAdmin(ReadOnlyAdmin):
    """The limits must match what the carriers allow. A stopped sender can be resumed once its account is fixed."""

    list_display = ["name", "number", "messaging_service", "per_minute", "per_day", "is_default", "stopped_reason"]
    fields = ["name", "number", "messaging_service", "is_default", "per_minute", "per_day", "stopped_at"]
    readonly_fields = ["name", "number", "messaging_service", "is_default", "stopped_at"]
    actions = ["resume"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    @admin.action(description="Let stopped senders send again")
    def resume(self, request: HttpRequest, queryset: "QuerySet[Sender]") -> None:
        count = sum(senders.resume_sender(sender=sender, now=timezone.now()) for sender in queryset)
        self.message_user(request, f"{count} messages are queued again.")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ["provider_id", "status", "error_code", "received_at"]
    search_fields = ["=provider_id"]


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    list_display = ["provider_id", "received_at", "handled_as", "handled_at"]
    list_filter = ["handled_as"]


@admin.register(ConsentEntry)
class ConsentEntryAdmin(ReadOnlyAdmin):
    list_display = ["organization", "purpose", "given", "source", "at"]
    list_filter = ["purpose", "given"]


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    list_display = ["sender", "since"]
