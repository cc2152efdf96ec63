from django.urls import path

from drives.api import routes
from drives.waitlist import api, views_donor, views_offers, views_organizer

donor_urls = [
    path("d/<slug:slug>/waitlist/", views_donor.request_waitlist_entry, name="waitlist_join"),
    path("w/<str:key>/", views_donor.show_waitlist_entry, name="waitlist_entry"),
    path("w/<str:key>/verify/", views_donor.verify_waitlist_entry, name="waitlist_verify"),
    path("w/<str:key>/code/", views_donor.resend_waitlist_code, name="waitlist_send_code"),
    path("w/<str:key>/extend/", views_donor.extend_own_entry, name="waitlist_extend"),
    path("w/<str:key>/change/", views_donor.change_waitlist_entry, name="waitlist_change"),
    path("w/<str:key>/leave/", views_donor.leave_waitlist, name="waitlist_leave"),
    path("offer/<str:key>/", views_offers.show_offer, name="offer"),
    path("offer/<str:key>/accept/", views_offers.accept_offered_spot, name="offer_accept"),
    path("offer/<str:key>/decline/", views_offers.decline_offered_spot, name="offer_decline"),
]

organizer_urls = [
    path("drives/<int:drive_id>/waitlist/", views_organizer.show_organizer_waitlist, name="organizer_waitlist"),
    path(
        "drives/<int:drive_id>/waitlist/new/", views_organizer.add_waitlist_entry, name="organizer_new_waitlist_entry"
    ),
    path(
        "drives/<int:drive_id>/waitlist/close/", views_organizer.close_drive_waitlist, name="organizer_close_waitlist"
    ),
    path(
        "drives/<int:drive_id>/waitlist/<int:entry_id>/remove/",
        views_organizer.remove_waitlist_entry,
        name="organizer_remove_waitlist_entry",
    ),
    path(
        "drives/<int:drive_id>/waitlist/offers/<int:offer_id>/<str:answer>/",
        views_organizer.answer_offer_for_donor,
        name="organizer_answer_offer",
    ),
]

api_urls = [
    routes.build_route("drives/<id:drive_id>/waitlist/", api.JoinWaitlistView),
    routes.build_route("drives/<id:drive_id>/waitlist/close/", api.CloseWaitlistView),
    routes.build_route("waitlist/<str:token>/", api.WaitlistEntryView),
    routes.build_route("waitlist/<str:token>/verify/", api.VerifyWaitlistEntryView),
    routes.build_route("waitlist/<str:token>/code/", api.ResendWaitlistCodeView),
    routes.build_route("waitlist/<str:token>/leave/", api.LeaveWaitlistView),
    routes.build_route("waitlist/<str:token>/accept/", api.AcceptOfferView),
    routes.build_route("waitlist/<str:token>/decline/", api.DeclineOfferView),
]
