from django.urls import path

from drives.messaging import views_broadcasts, views_calls, views_custom_texts, views_organizer

organizer_urls = [
    path(
        "drives/<int:drive_id>/messages/",
        views_organizer.edit_drive_message_schedule,
        name="organizer_drive_message_schedule",
    ),
    path(
        "drives/<int:drive_id>/messages/preview/",
        views_organizer.preview_message_schedule,
        name="organizer_preview_drive_message_schedule",
    ),
    path("messages/", views_organizer.show_messages, name="organizer_messages"),
    path("messages/schedule/", views_organizer.edit_message_schedule, name="organizer_message_schedule"),
    path(
        "messages/schedule/preview/",
        views_organizer.preview_message_schedule,
        name="organizer_preview_message_schedule",
    ),
    path("messages/sending/", views_organizer.edit_sending_settings, name="organizer_sending_settings"),
    path(
        "messages/texts/<slug:kind>/<slug:language>/", views_custom_texts.edit_custom_text, name="organizer_custom_text"
    ),
    path(
        "messages/texts/<slug:kind>/<slug:language>/preview/",
        views_custom_texts.preview_custom_text,
        name="organizer_preview_custom_text",
    ),
    path("drives/<int:drive_id>/broadcasts/", views_broadcasts.show_broadcasts, name="organizer_broadcasts"),
    path("drives/<int:drive_id>/broadcasts/new/", views_broadcasts.write_broadcast, name="organizer_write_broadcast"),
    path("broadcasts/<int:pk>/", views_broadcasts.show_broadcast, name="organizer_broadcast"),
    path("broadcasts/<int:pk>/stop/", views_broadcasts.stop_queued_broadcast, name="organizer_stop_broadcast"),
    path("drives/<int:drive_id>/calls/", views_calls.show_call_list, name="organizer_call_list"),
    path(
        "drives/<int:drive_id>/calls/<str:about>/reached/",
        views_calls.mark_call_reached,
        name="organizer_mark_reached",
    ),
    path(
        "drives/<int:drive_id>/calls/<str:about>/undo/",
        views_calls.unmark_call_reached,
        name="organizer_unmark_reached",
    ),
]
