"""Addresses of calendar files and feeds."""

from django.urls import path

from drives.calendars import views_donor

donor_urls = [
    path("feeds/<str:token>.ics", views_donor.feed, name="feed"),
    path("o/<slug:slug>/calendar.ics", views_donor.organization, name="organization_calendar"),
    path("d/<slug:slug>/calendar.ics", views_donor.drive, name="drive_calendar"),
]
