"""Addresses of the waitlist."""

from django.urls import path

from drives.api import addresses
from drives.waitlist import api, views_donor, views_offers, views_organizer

donor_urls = [
    path("d/<slug:slug>/wait/", views_donor.join, name="wait"),
    path("w/<str:key>/", views_donor.waiting, name="waiting"),
    path("w/<str:key>/prove/", views_donor.prove, name="waiting_prove"),
    path("w/<str:key>/code/", views_donor.send_code, name="waiting_code"),
    path("w/<str:key>/change/", views_donor.change, name="waiting_change"),
    path("w/<str:key>/leave/", views_donor.leave, name="waiting_leave"),
    path("offer/<str:key>/", views_offers.offer, name="offer"),
    path("offer/<str:key>/accept/", views_offers.accept, name="offer_accept"),
    path("offer/<str:key>/pass/", views_offers.decline, name="offer_pass"),
]

organizer_urls = [
    path("drives/<int:drive_id>/waiting/", views_organizer.waiting, name="organizer_waiting"),
    path("drives/<int:drive_id>/waiting/new/", views_organizer.enter, name="organizer_wait"),
    path("drives/<int:drive_id>/waiting/close/", views_organizer.close, name="organizer_close_line"),
    path(
        "drives/<int:drive_id>/waiting/<int:entry_id>/remove/",
        views_organizer.remove,
        name="organizer_wait_remove",
    ),
]

api_urls = [
    addresses.call("drives/<id:drive_id>/waitlist/", api.WaitingList),
    addresses.call("drives/<id:drive_id>/waitlist/close/", api.CloseLine),
    addresses.call("waitlist/<str:token>/", api.OneEntry),
    addresses.call("waitlist/<str:token>/verify/", api.Prove),
    addresses.call("waitlist/<str:token>/code/", api.SendCode),
    addresses.call("waitlist/<str:token>/leave/", api.Leave),
    addresses.call("waitlist/<str:token>/accept/", api.Accept),
    addresses.call("waitlist/<str:token>/decline/", api.Pass),
]
