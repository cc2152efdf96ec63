"""Addresses of bookings."""

from django.urls import path

from drives.api import addresses
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
    path("b/<str:key>/calendar.ics", views_calendar.booking, name="booking_calendar"),
    path("d/<slug:slug>/book/", views_book.book, name="book"),
    path("d/<slug:slug>/again/", views_rebook.book_again, name="book_again"),
    path("b/<str:key>/", views_donor.booking, name="booking"),
    path("b/<str:key>/prove/", views_donor.prove, name="booking_prove"),
    path("b/<str:key>/code/", views_donor.send_code, name="booking_code"),
    path("b/<str:key>/move-all/", views_changes.move, {"whole_party": True}, name="booking_move_all"),
    path("b/<str:key>/move/", views_changes.move, name="booking_move"),
    path("b/<str:key>/cancel/", views_changes.cancel, name="booking_cancel"),
    path("b/<str:key>/cancel-all/", views_changes.cancel, {"whole_party": True}, name="booking_cancel_all"),
    path("b/<str:key>/take-out/", views_changes.take_out, name="booking_take_out"),
    path("b/<str:key>/restore/", views_changes.restore, name="booking_restore"),
    path("b/<str:key>/confirm/", views_changes.confirm, name="booking_confirm"),
    path("b/<str:key>/elsewhere/", views_self_reported.state, name="booking_elsewhere"),
    path("b/<str:key>/again/", views_changes.send_again, name="booking_again"),
]

organizer_urls = [
    path("drives/<int:drive_id>/bookings/new/", views_organizer.enter, name="organizer_enter"),
    path("bookings/<int:booking_id>/move/", views_organizer.move, name="organizer_move"),
    path(
        "bookings/<int:booking_id>/move-all/",
        views_organizer.move,
        {"whole_party": True},
        name="organizer_move_all",
    ),
    path("bookings/<int:booking_id>/cancel/", views_organizer.cancel, name="organizer_cancel"),
    path("bookings/<int:booking_id>/again/", views_organizer.send_again, name="organizer_again"),
]

api_urls = [
    addresses.call("bookings/", api.Bookings),
    addresses.call("bookings/<str:token>/", api.OneBooking),
    addresses.call("bookings/<str:token>/verify/", api.Prove),
    addresses.call("bookings/<str:token>/code/", api.SendCode),
    addresses.call("bookings/<str:token>/confirm/", api.Confirm),
    addresses.call("bookings/<str:token>/cancel/", api.Cancel),
    addresses.call("bookings/<str:token>/move/", api.Move),
    addresses.call("parties/", api.Parties),
]
