"""Addresses of the day itself: door and turnout."""

from django.urls import path

from drives.api import addresses
from drives.attendance import api, views_door, views_late, views_organizer

organizer_urls = [
    path("drives/<int:drive_id>/turnout/", views_organizer.report, name="organizer_turnout"),
    path("drives/<int:drive_id>/turnout/complete/", views_organizer.complete, name="organizer_complete"),
]

door_urls = [
    path("", views_door.day, name="checkin"),
    path("walk-in/", views_door.walk_in, name="checkin_walk_in"),
    path("late/", views_late.late, name="checkin_late"),
    path("late/<int:pk>/stop/", views_late.stop_late, name="checkin_stop_late"),
    path("<int:booking_id>/", views_door.person, name="checkin_person"),
    path("<int:booking_id>/next/", views_door.book_next, name="checkin_next"),
    path("<int:booking_id>/<str:verb>/", views_door.act, name="checkin_act"),
]

api_urls = [
    addresses.call("drives/<id:drive_id>/roster/", api.Roster),
    addresses.call("drives/<id:drive_id>/walk-ins/", api.WalkIns),
    addresses.call("drives/<id:drive_id>/turnout/", api.Turnout),
    addresses.call("bookings/<id:booking_id>/check-in/", api.CheckIn),
    addresses.call("bookings/<id:booking_id>/outcome/", api.Outcome),
    addresses.call("bookings/<id:booking_id>/undo/", api.Undo),
]
