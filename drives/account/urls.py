"""Addresses of the donor's own pages."""

from django.urls import path

from drives.account import views_consents, views_find, views_me, views_profile

donor_urls = [
    path("b/<str:key>/messages/", views_consents.turn, name="booking_consent"),
    path("b/<str:key>/new-feed/", views_consents.new_feed, name="booking_new_feed"),
    path("find/", views_find.find, name="find"),
    path("find/code/", views_find.code, name="find_code"),
    path("me/", views_me.me, name="me"),
    path("me/sign-out/", views_me.sign_out, name="me_sign_out"),
    path("me/<uuid:record>/", views_profile.details, name="me_details"),
    path("me/<uuid:record>/contact/", views_profile.contact, name="me_contact"),
    path("me/<uuid:record>/contact/code/", views_profile.contact_code, name="me_contact_code"),
    path("me/<uuid:record>/messages/", views_profile.consent, name="me_consent"),
    path("me/<uuid:record>/new-feed/", views_profile.new_feed, name="me_new_feed"),
    path("stop/<str:token>/", views_consents.stop, name="stop"),
]
