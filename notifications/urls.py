from django.urls import path

from notifications import views_demo_inbox, views_webhooks

urlpatterns = [
    path("webhooks/twilio/status/<str:token>/", views_webhooks.receive_status_report),
    path("webhooks/twilio/inbound/", views_webhooks.receive_inbound_text),
    path("demo/inbox/", views_demo_inbox.show_demo_inbox, name="demo_inbox"),
    path("demo/inbox/messages.json", views_demo_inbox.show_demo_inbox_json),
    path(
        "demo/inbox/<int:item_id>/invitation.ics", views_demo_inbox.download_demo_invitation, name="demo_inbox_calendar"
    ),
    path("demo/inbox/<int:item_id>/reply/", views_demo_inbox.reply_as_donor, name="demo_inbox_reply"),
]
