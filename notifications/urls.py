"""Addresses of webhooks and of the demo's inbox."""

from django.urls import path

from notifications.web import demo_inbox, webhooks

urlpatterns = [
    path("webhooks/twilio/status/<str:token>/", webhooks.status, name="twilio_status"),
    path("webhooks/twilio/inbound/", webhooks.inbound, name="twilio_inbound"),
    path("demo/inbox/", demo_inbox.page, name="demo_inbox"),
    path("demo/inbox/messages.json", demo_inbox.messages, name="demo_inbox_messages"),
    path("demo/inbox/<int:item_id>/invitation.ics", demo_inbox.invitation, name="demo_inbox_invitation"),
    path("demo/inbox/<int:item_id>/reply/", demo_inbox.reply, name="demo_inbox_reply"),
]
