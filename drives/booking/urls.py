from django.urls import path

from drives.api import routes
from drives.booking import (
    api,
    views_book,
    views_calendar,
    views_changes,
    views_donor,
    views_organizer,
    views_rebook,
    views_self_reported,
)

donor_urls = [
    path("b/<str:key>/calendar.ics", views_calendar.download_booking_calendar, name="booking_calendar"),
    path("d/<slug:slug>/book/", views_book.book_slot, name="book"),
    path("d/<slug:slug>/rebook/", views_rebook.submit_rebooking, name="rebook"),
    path("b/<str:key>/", views_donor.show_own_booking, name="booking"),
    path("b/<str:key>/verify/", views_donor.verify_own_booking, name="booking_verify"),
    path("b/<str:key>/details/", views_book.correct_details, name="booking_details"),
    path("b/<str:key>/extend/", views_donor.extend_own_hold, name="booking_extend"),
    path("b/<str:key>/code/", views_donor.send_booking_code, name="booking_send_code"),
    path("b/<str:key>/move-party/", views_changes.move_own_booking, {"whole_party": True}, name="booking_move_party"),
    path("b/<str:key>/move/", views_changes.move_own_booking, name="booking_move"),
    path("b/<str:key>/cancel/", views_changes.cancel_own_booking, name="booking_cancel"),
    path(
        "b/<str:key>/cancel-party/",
        views_changes.cancel_own_booking,
        {"whole_party": True},
        name="booking_cancel_party",
    ),
    path("b/<str:key>/remove/", views_changes.remove_from_party, name="booking_remove_from_party"),
    path("b/<str:key>/restore/", views_changes.restore_own_booking, name="booking_restore"),
    path("b/<str:key>/confirm/", views_changes.confirm_own_booking, name="booking_confirm"),
    path("b/<str:key>/self-reported/", views_self_reported.change_own_self_reported, name="booking_self_reported"),
    path("b/<str:key>/resend/", views_changes.resend_own_confirmation, name="booking_resend"),
]

organizer_urls = [
    path("drives/<int:drive_id>/bookings/new/", views_organizer.add_booking, name="organizer_add_booking"),
    path("bookings/<int:booking_id>/move/", views_organizer.move_donor_booking, name="organizer_move_booking"),
    path(
        "bookings/<int:booking_id>/move-party/",
        views_organizer.move_donor_booking,
        {"whole_party": True},
        name="organizer_move_party",
    ),
    path("bookings/<int:booking_id>/cancel/", views_organizer.cancel_donor_booking, name="organizer_cancel_booking"),
    path("bookings/<int:booking_id>/resend/", views_organizer.resend_booking_confirmation, name="organizer_resend"),
]

api_urls = [
    routes.build_route("bookings/", api.CreateBookingView),
    routes.build_route("bookings/<str:token>/", api.ReadBookingView),
    routes.build_route("bookings/<str:token>/verify/", api.VerifyBookingView),
    routes.build_route("bookings/<str:token>/code/", api.SendBookingCodeView),
    routes.build_route("bookings/<str:token>/confirm/", api.ConfirmBookingView),
    routes.build_route("bookings/<str:token>/cancel/", api.CancelBookingView),
    routes.build_route("bookings/<str:token>/move/", api.MoveBookingView),
    routes.build_route("parties/", api.CreatePartyView),
]
