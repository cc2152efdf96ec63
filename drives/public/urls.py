"""Addresses of the public pages."""

from django.urls import path
from django.views.i18n import set_language

from drives.models import Visit
from drives.public import views_donor, views_pages, views_times

donor_urls = [
    path("", views_donor.home, name="home"),
    path("o/<slug:slug>/", views_donor.organization, name="organization"),
    path("o/<slug:slug>/accent.css", views_pages.accent, name="accent"),
    path("embed/<slug:slug>/", views_donor.embed, name="embed"),
    path("d/<slug:slug>/", views_donor.drive, name="drive"),
    path("d/<slug:slug>/may-i-give/", views_donor.may_i_give, name="may_i_give"),
    path("t/<int:slot_id>/", views_times.time, name="time"),
    path("t/<int:slot_id>/first/", views_times.time, {"visit": Visit.FIRST}, name="time_first"),
    path("privacy/", views_pages.privacy, name="privacy"),
    path("terms/", views_pages.terms, name="terms"),
    path("language/", set_language, name="set_language"),
]
