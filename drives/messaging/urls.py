"""Addresses of messages: schedules, texts, broadcasts, calls."""

from django.urls import path

from drives.messaging import views_broadcasts, views_calls, views_organizer, views_texts

organizer_urls = [
    path("drives/<int:drive_id>/messages/", views_organizer.drive_plan, name="organizer_drive_messages"),
    path(
        "drives/<int:drive_id>/messages/preview/",
        views_organizer.preview_plan,
        name="organizer_preview_drive_messages",
    ),
    path("messages/", views_organizer.overview, name="organizer_messages"),
    path("messages/plan/", views_organizer.plan, name="organizer_message_plan"),
    path("messages/plan/preview/", views_organizer.preview_plan, name="organizer_preview_message_plan"),
    path("messages/sending/", views_organizer.sending, name="organizer_sending"),
    path("messages/texts/<slug:kind>/<slug:language>/", views_texts.words, name="organizer_words"),
    path(
        "messages/texts/<slug:kind>/<slug:language>/preview/",
        views_texts.preview_words,
        name="organizer_preview_words",
    ),
    path("drives/<int:drive_id>/broadcasts/", views_broadcasts.broadcasts, name="organizer_broadcasts"),
    path("drives/<int:drive_id>/broadcasts/new/", views_broadcasts.write, name="organizer_write"),
    path("broadcasts/<int:pk>/", views_broadcasts.broadcast, name="organizer_broadcast"),
    path("broadcasts/<int:pk>/stop/", views_broadcasts.stop, name="organizer_stop_broadcast"),
    path("drives/<int:drive_id>/calls/", views_calls.calls, name="organizer_calls"),
    path("drives/<int:drive_id>/calls/<int:booking_id>/reached/", views_calls.reached, name="organizer_reached"),
    path("drives/<int:drive_id>/calls/<int:booking_id>/undo/", views_calls.not_reached, name="organizer_not_reached"),
]
