from django.urls import path

from drives.calendars import views_donor

donor_urls = [
    path("feeds/<str:token>.ics", views_donor.show_booking_feed, name="donor_feed"),
    path("o/<slug:slug>/calendar.ics", views_donor.show_organization_calendar, name="organization_calendar"),
    path("d/<slug:slug>/calendar.ics", views_donor.show_drive_calendar, name="drive_calendar"),
]
