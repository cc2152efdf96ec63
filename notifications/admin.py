from django.contrib import admin

from notifications.models import ConsentEntry, InboundMessage, Message, Report, Sender, Suppression
from organizations.web.read_only_admin import ReadOnlyAdmin


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """The admin page of messages. It hides their texts, because texts contain donors' codes and links."""

    list_display = ["key", "channel", "state", "reason", "error_code", "due_at", "attempts", "resends"]
    list_filter = ["state", "channel", "reason"]
    search_fields = ["=key", "=about", "=provider_id"]
    list_select_related = ["organization"]
    exclude = ["text", "subject", "html", "calendar", "unsubscribe_url", "attempt_token"]


@admin.register(Sender)
class SenderAdmin(ReadOnlyAdmin):
    list_display = ["name", "number", "messaging_service", "per_minute", "per_day", "is_default", "stopped_reason"]


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
