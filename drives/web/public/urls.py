"""The donors' addresses."""

from django.urls import path
from django.views.i18n import set_language

from drives.web.public import (again, book, bookings, calendars, changes, consents, drives, elsewhere, find, me, offers, pages, waiting)

urlpatterns = [
    path("", drives.home, name="home"),
    path("o/<slug:slug>/", drives.organization, name="organization"),
    path("o/<slug:slug>/accent.css", pages.accent, name="accent"),
    path("o/<slug:slug>/calendar.ics", calendars.organization, name="organization_calendar"),
    path("embed/<slug:slug>/", drives.embed, name="embed"),
    path("d/<slug:slug>/", drives.drive, name="drive"),
    path("d/<slug:slug>/calendar.ics", calendars.drive, name="drive_calendar"),
    path("d/<slug:slug>/book/", book.book, name="book"),
    path("d/<slug:slug>/again/", again.book_again, name="book_again"),
    path("b/<str:key>/", bookings.booking, name="booking"),
    path("b/<str:key>/prove/", bookings.prove, name="booking_prove"),
    path("b/<str:key>/code/", bookings.send_code, name="booking_code"),
    path("b/<str:key>/move/", changes.move, name="booking_move"),
    path("b/<str:key>/cancel/", changes.cancel, name="booking_cancel"),
    path("b/<str:key>/restore/", changes.restore, name="booking_restore"),
    path("b/<str:key>/confirm/", changes.confirm, name="booking_confirm"),
    path("b/<str:key>/elsewhere/", elsewhere.state, name="booking_elsewhere"),
    path("b/<str:key>/messages/", consents.turn, name="booking_consent"),
    path("b/<str:key>/new-feed/", consents.new_feed, name="booking_new_feed"),
    path("b/<str:key>/calendar.ics", calendars.booking, name="booking_calendar"),
    path("find/", find.find, name="find"),
    path("find/code/", find.code, name="find_code"),
    path("me/", me.me, name="me"),
    path("me/sign-out/", me.sign_out, name="me_sign_out"),
    path("d/<slug:slug>/wait/", waiting.join, name="wait"),
    path("w/<str:token>/", waiting.waiting, name="waiting"),
    path("w/<str:token>/prove/", waiting.prove, name="waiting_prove"),
    path("w/<str:token>/code/", waiting.send_code, name="waiting_code"),
    path("w/<str:token>/change/", waiting.change, name="waiting_change"),
    path("w/<str:token>/leave/", waiting.leave, name="waiting_leave"),
    path("offer/<str:token>/", offers.offer, name="offer"),
    path("offer/<str:token>/accept/", offers.accept, name="offer_accept"),
    path("offer/<str:token>/pass/", offers.decline, name="offer_pass"),
    path("feeds/<str:token>.ics", calendars.feed, name="feed"),
    path("stop/<str:token>/", consents.stop, name="stop"),
    path("privacy/", pages.privacy, name="privacy"),
    path("terms/", pages.terms, name="terms"),
    path("language/", set_language, name="set_language"),
]
