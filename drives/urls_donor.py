"""The donors' addresses."""

from django.urls import path
from django.views.i18n import set_language

from drives.account import views_consents, views_find, views_me, views_profile
from drives.booking import views_book, views_changes, views_donor, views_party, views_rebook, views_self_reported
from drives.calendars import views_donor as calendars_views_donor
from drives.models import Visit
from drives.privacy import views_donor as privacy_views_donor
from drives.public import views_donor as public_views_donor
from drives.public import views_pages, views_times
from drives.waitlist import views_donor as waitlist_views_donor
from drives.waitlist import views_offers

urlpatterns = [
    # First of all, for they are tried in order: calendar programs ask for feeds more often than people for pages.
    path("feeds/<str:token>.ics", calendars_views_donor.feed, name="feed"),
    path("", public_views_donor.home, name="home"),
    path("o/<slug:slug>/", public_views_donor.organization, name="organization"),
    path("o/<slug:slug>/accent.css", views_pages.accent, name="accent"),
    path("o/<slug:slug>/calendar.ics", calendars_views_donor.organization, name="organization_calendar"),
    path("embed/<slug:slug>/", public_views_donor.embed, name="embed"),
    path("d/<slug:slug>/", public_views_donor.drive, name="drive"),
    path("d/<slug:slug>/calendar.ics", calendars_views_donor.drive, name="drive_calendar"),
    path("d/<slug:slug>/may-i-give/", public_views_donor.may_i_give, name="may_i_give"),
    path("d/<slug:slug>/book/", views_book.book, name="book"),
    path("d/<slug:slug>/again/", views_rebook.book_again, name="book_again"),
    path("d/<slug:slug>/together/", views_party.book, name="book_together"),
    path("t/<int:slot_id>/", views_times.time, name="time"),
    path("t/<int:slot_id>/first/", views_times.time, {"visit": Visit.FIRST}, name="time_first"),
    path("b/<str:key>/", views_donor.booking, name="booking"),
    path("b/<str:key>/prove/", views_donor.prove, name="booking_prove"),
    path("b/<str:key>/code/", views_donor.send_code, name="booking_code"),
    path("b/<str:key>/move-all/", views_party.move_all, name="booking_move_all"),
    path("b/<str:key>/move/", views_changes.move, name="booking_move"),
    path("b/<str:key>/cancel/", views_changes.cancel, name="booking_cancel"),
    path("b/<str:key>/cancel-all/", views_party.cancel_all, name="booking_cancel_all"),
    path("b/<str:key>/take-out/", views_party.take_out, name="booking_take_out"),
    path("b/<str:key>/restore/", views_changes.restore, name="booking_restore"),
    path("b/<str:key>/confirm/", views_changes.confirm, name="booking_confirm"),
    path("b/<str:key>/elsewhere/", views_self_reported.state, name="booking_elsewhere"),
    path("b/<str:key>/again/", views_changes.send_again, name="booking_again"),
    path("b/<str:key>/messages/", views_consents.turn, name="booking_consent"),
    path("b/<str:key>/new-feed/", views_consents.new_feed, name="booking_new_feed"),
    path("b/<str:key>/calendar.ics", calendars_views_donor.booking, name="booking_calendar"),
    path("find/", views_find.find, name="find"),
    path("find/code/", views_find.code, name="find_code"),
    path("me/", views_me.me, name="me"),
    path("me/sign-out/", views_me.sign_out, name="me_sign_out"),
    path("d/<slug:slug>/wait/", waitlist_views_donor.join, name="wait"),
    path("w/<str:key>/", waitlist_views_donor.waiting, name="waiting"),
    path("w/<str:key>/prove/", waitlist_views_donor.prove, name="waiting_prove"),
    path("w/<str:key>/code/", waitlist_views_donor.send_code, name="waiting_code"),
    path("w/<str:key>/change/", waitlist_views_donor.change, name="waiting_change"),
    path("w/<str:key>/leave/", waitlist_views_donor.leave, name="waiting_leave"),
    path("offer/<str:key>/", views_offers.offer, name="offer"),
    path("offer/<str:key>/accept/", views_offers.accept, name="offer_accept"),
    path("offer/<str:key>/pass/", views_offers.decline, name="offer_pass"),
    path("me/<uuid:record>/", views_profile.details, name="me_details"),
    path("me/<uuid:record>/contact/", views_profile.contact, name="me_contact"),
    path("me/<uuid:record>/contact/code/", views_profile.contact_code, name="me_contact_code"),
    path("me/<uuid:record>/messages/", views_profile.consent, name="me_consent"),
    path("me/<uuid:record>/new-feed/", views_profile.new_feed, name="me_new_feed"),
    path("me/data/", privacy_views_donor.overview, name="my_data"),
    path("me/data/<int:volunteer_id>.json", privacy_views_donor.download, name="my_data_file"),
    path("me/data/erase/", privacy_views_donor.erase, name="my_data_erase"),
    path("me/data/erased/", privacy_views_donor.erased, name="my_data_erased"),
    path("stop/<str:token>/", views_consents.stop, name="stop"),
    path("privacy/", views_pages.privacy, name="privacy"),
    path("terms/", views_pages.terms, name="terms"),
    path("language/", set_language, name="set_language"),
]
