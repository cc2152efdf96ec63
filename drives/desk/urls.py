from django.urls import path

from drives.desk import (
    views_booking,
    views_consents,
    views_drive,
    views_home,
    views_mailbox,
    views_parked,
    views_people,
    views_people_list,
    views_reports,
)

organizer_urls = [
    path("bookings/<int:booking_id>/", views_booking.show_organizer_booking, name="organizer_booking"),
    path("", views_home.show_organizer_home, name="organizer_home"),
    path("drives/", views_home.show_organizer_drives, name="organizer_drives"),
    path("drives/<int:drive_id>/", views_drive.show_desk, name="organizer_drive"),
    path("drives/<int:drive_id>/roster/", views_drive.show_roster, name="organizer_roster"),
    path("drives/<int:drive_id>/roster.csv", views_drive.download_roster, name="organizer_roster_csv"),
    path("bookings/<int:booking_id>/consents/", views_consents.record_opt_out, name="organizer_stop_messages"),
    path("failed-tasks/", views_parked.show_parked_tasks, name="organizer_parked"),
    path("failed-tasks/<int:pk>/", views_parked.try_parked_task_again, name="organizer_try_parked"),
    path("people/", views_people_list.show_people, name="organizer_people"),
    path("people.csv", views_people_list.download_people, name="organizer_people_csv"),
    path("people/<int:pk>/", views_people.show_person, name="organizer_person"),
    path("people/<int:pk>/name/", views_people.rename_person, name="organizer_rename_person"),
    path("people/<int:pk>/email/", views_mailbox.correct_email, name="organizer_correct_email"),
    path("people/<int:pk>/email/try/", views_mailbox.try_mailbox_again, name="organizer_try_mailbox"),
    path("reports/", views_reports.show_report, name="organizer_reports"),
    path("reports.csv", views_reports.download_report, name="organizer_reports_csv"),
    path("people/<int:pk>/merge/<int:other>/", views_people.merge_people, name="organizer_merge_people"),
]
