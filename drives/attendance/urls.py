from django.urls import path

from drives.api import routes
from drives.attendance import api, views_door, views_late, views_organizer

organizer_urls = [
    path("drives/<int:drive_id>/turnout/", views_organizer.show_turnout, name="organizer_turnout"),
    path("drives/<int:drive_id>/turnout.csv", views_organizer.download_turnout, name="organizer_turnout_csv"),
    path("drives/<int:drive_id>/turnout/complete/", views_organizer.complete_turnout, name="organizer_complete_drive"),
]

door_urls = [
    path("", views_door.show_day, name="checkin"),
    path("walk-in/", views_door.create_walk_in, name="checkin_walk_in"),
    path("late/", views_late.send_late_notice, name="checkin_running_late"),
    path("late/<int:pk>/stop/", views_late.stop_late_notice, name="checkin_stop_running_late"),
    path("<int:booking_id>/", views_door.show_donor_at_door, name="checkin_booking"),
    path("<int:booking_id>/next/", views_door.book_next_at_door, name="checkin_book_next"),
    path("<int:booking_id>/<str:verb>/", views_door.record_step, name="checkin_change_state"),
]

api_urls = [
    routes.build_route("drives/<id:drive_id>/roster/", api.RosterView),
    routes.build_route("drives/<id:drive_id>/walk-ins/", api.CreateWalkInView),
    routes.build_route("drives/<id:drive_id>/turnout/", api.TurnoutView),
    routes.build_route("bookings/<id:booking_id>/check-in/", api.CheckInView),
    routes.build_route("bookings/<id:booking_id>/outcome/", api.RecordOutcomeView),
    routes.build_route("bookings/<id:booking_id>/undo/", api.UndoStepView),
]
