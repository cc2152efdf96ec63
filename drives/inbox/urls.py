from django.urls import path

from drives.inbox import views_organizer

organizer_urls = [
    path("replies/", views_organizer.show_inbox, name="organizer_replies"),
    path("replies/length/", views_organizer.measure_answer, name="organizer_measure_reply"),
    path("replies/<int:pk>/", views_organizer.show_conversation, name="organizer_conversation"),
    path("replies/<int:pk>/answer/", views_organizer.answer_conversation, name="organizer_answer_conversation"),
    path("replies/<int:pk>/opt-out/", views_organizer.decide_opt_out, name="organizer_decide_opt_out"),
    path("replies/<int:pk>/opt-out/undo/", views_organizer.undo_opt_out, name="organizer_undo_opt_out"),
    path("replies/<int:pk>/done/", views_organizer.finish_conversation, name="organizer_close_conversation"),
    path(
        "replies/<int:pk>/cancel/<int:booking_id>/",
        views_organizer.cancel_conversation_booking,
        name="organizer_conversation_cancel_booking",
    ),
]
