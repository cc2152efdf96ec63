from django.urls import path

from drives.api import routes
from drives.privacy import api, views_donor, views_links, views_organizer, views_retention

donor_urls = [
    path("me/data/", views_donor.show_my_data, name="donor_data"),
    path("me/data/<int:volunteer_id>.json", views_donor.download_my_data, name="donor_data_file"),
    path("me/data/erase/", views_donor.erase_my_data, name="donor_data_erase"),
    path("me/data/erased/", views_donor.show_my_data_erased, name="donor_data_erased"),
]

organizer_urls = [
    path("people/<int:volunteer_id>/export.json", views_organizer.download_export, name="organizer_export_person"),
    path("people/<int:volunteer_id>/erase/", views_organizer.erase_person, name="organizer_erase_person"),
    path("settings/retention/", views_retention.edit_retention, name="organizer_retention"),
    path("settings/links/", views_links.revoke_links, name="organizer_links"),
]

api_urls = [
    routes.build_route("volunteers/<id:volunteer_id>/export/", api.ExportVolunteerView),
    routes.build_route("volunteers/<id:volunteer_id>/erase/", api.EraseVolunteerView),
]
