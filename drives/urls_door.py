"""Addresses under /checkin/<drive>/: the door on the day."""

from django.urls import path

from drives.attendance import views_door, views_late

urlpatterns = [
    path("", views_door.day, name="checkin"),
    path("walk-in/", views_door.walk_in, name="checkin_walk_in"),
    path("late/", views_late.late, name="checkin_late"),
    path("late/<int:pk>/stop/", views_late.stop_late, name="checkin_stop_late"),
    path("<int:booking_id>/", views_door.person, name="checkin_person"),
    path("<int:booking_id>/next/", views_door.book_next, name="checkin_next"),
    path("<int:booking_id>/<str:verb>/", views_door.act, name="checkin_act"),
]
