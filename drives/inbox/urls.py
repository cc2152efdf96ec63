"""Addresses of conversations with donors."""

from django.urls import path

from drives.inbox import views_organizer

organizer_urls = [
    path("replies/", views_organizer.replies, name="organizer_replies"),
    path("replies/length/", views_organizer.measure, name="organizer_measure"),
    path("replies/<int:pk>/", views_organizer.thread, name="organizer_reply"),
    path("replies/<int:pk>/answer/", views_organizer.answer, name="organizer_answer"),
    path("replies/<int:pk>/done/", views_organizer.done, name="organizer_reply_done"),
    path("replies/<int:pk>/cancel/<int:booking_id>/", views_organizer.cancel_booking, name="organizer_reply_cancel"),
]
