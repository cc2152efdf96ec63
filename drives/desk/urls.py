"""Addresses of the organizer's home, desk and people."""

from django.urls import path

from drives.desk import views_booking, views_consents, views_drive, views_home, views_people

organizer_urls = [
    path("bookings/<int:booking_id>/", views_booking.booking, name="organizer_booking"),
    path("", views_home.home, name="organizer_home"),
    path("drives/", views_home.drives, name="organizer_drives"),
    path("drives/<int:drive_id>/", views_drive.desk, name="organizer_drive"),
    path("drives/<int:drive_id>/roster/", views_drive.roster_sheet, name="organizer_roster"),
    path("drives/<int:drive_id>/roster.csv", views_drive.roster_csv, name="organizer_roster_csv"),
    path("bookings/<int:booking_id>/consents/", views_consents.stop, name="organizer_consents"),
    path("people/<int:pk>/", views_people.person, name="organizer_person"),
    path("people/<int:pk>/same/<int:other>/", views_people.merge, name="organizer_merge"),
]
