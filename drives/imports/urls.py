from django.urls import path

from drives.imports import views_organizer as views

organizer_urls = [
    path("imports/", views.show_imports, name="organizer_imports"),
    path("imports/people/", views.upload_people, name="organizer_import_people"),
    path("imports/people/sample.csv", views.download_sample, name="organizer_import_sample"),
    path("imports/drives/<int:drive_id>/", views.upload_bookings, name="organizer_import_bookings"),
    path("imports/drives/<int:drive_id>/sample.csv", views.download_bookings_sample, name="organizer_bookings_sample"),
    path("imports/<int:pk>/", views.show_import, name="organizer_import"),
    path("imports/<int:pk>/columns/", views.match_columns, name="organizer_import_columns"),
    path("imports/<int:pk>/start/", views.start_import, name="organizer_start_import"),
    path("imports/<int:pk>/discard/", views.discard_import, name="organizer_discard_import"),
    path("imports/<int:pk>/errors.csv", views.download_errors, name="organizer_import_errors"),
]
