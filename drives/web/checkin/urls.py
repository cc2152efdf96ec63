"""Addresses under /checkin/<drive>/: the door on the day."""

from django.urls import path

from drives.web.checkin import late, views

urlpatterns = [
    path("", views.day, name="checkin"),
    path("walk-in/", views.walk_in, name="checkin_walk_in"),
    path("late/", late.late, name="checkin_late"),
    path("late/<int:pk>/stop/", late.stop_late, name="checkin_stop_late"),
    path("<int:booking_id>/", views.person, name="checkin_person"),
    path("<int:booking_id>/next/", views.book_next, name="checkin_next"),
    path("<int:booking_id>/<str:verb>/", views.act, name="checkin_act"),
]
