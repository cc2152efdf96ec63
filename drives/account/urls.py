from django.urls import path

from drives.account import views_consents, views_find, views_me, views_news, views_profile

donor_urls = [
    path("b/<str:key>/messages/", views_consents.change_booking_consent, name="booking_consent"),
    path("b/<str:key>/renew-feed/", views_consents.renew_booking_feed, name="booking_renew_feed"),
    path("o/<slug:slug>/news/", views_news.sign_up_for_news, name="news"),
    path("o/<slug:slug>/news/code/", views_news.enter_news_code, name="news_code"),
    path("o/<slug:slug>/news/code/again/", views_news.send_news_code, name="news_send_code"),
    path("find/", views_find.find_bookings, name="find_booking"),
    path("find/code/", views_find.enter_find_code, name="find_booking_code"),
    path("me/", views_me.show_me, name="donor_bookings"),
    path("me/sign-out/", views_me.sign_out_donor, name="donor_sign_out"),
    path("me/<uuid:record>/", views_profile.edit_details, name="donor_details"),
    path("me/<uuid:record>/contact/", views_profile.edit_contact, name="donor_contact"),
    path("me/<uuid:record>/contact/code/", views_profile.verify_new_contact, name="donor_contact_code"),
    path("me/<uuid:record>/messages/", views_profile.change_consent, name="donor_consent"),
    path("me/<uuid:record>/renew-feed/", views_profile.renew_donor_feed, name="donor_renew_feed"),
    path("stop/<str:token>/", views_consents.stop_messages, name="stop_messages"),
]
