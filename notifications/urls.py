"""Addresses of webhooks and of the demo's inbox."""

from django.urls import path

from notifications import views_demo_inbox, views_webhooks

urlpatterns = [
    path("webhooks/twilio/status/<str:token>/", views_webhooks.status),
    path("webhooks/twilio/inbound/", views_webhooks.inbound),
    path("demo/inbox/", views_demo_inbox.page, name="demo_inbox"),
    path("demo/inbox/messages.json", views_demo_inbox.messages),
    path("demo/inbox/<int:item_id>/invitation.ics", views_demo_inbox.invitation, name="demo_inbox_invitation"),
    path("demo/inbox/<int:item_id>/reply/", views_demo_inbox.reply, name="demo_inbox_reply"),
]
