"""Addresses of export, erasure and retention."""

from django.urls import path

from drives.api import addresses
from drives.privacy import api, views_donor, views_organizer, views_retention

donor_urls = [
    path("me/data/", views_donor.overview, name="my_data"),
    path("me/data/<int:volunteer_id>.json", views_donor.download, name="my_data_file"),
    path("me/data/erase/", views_donor.erase, name="my_data_erase"),
    path("me/data/erased/", views_donor.erased, name="my_data_erased"),
]

organizer_urls = [
    path("people/<int:volunteer_id>/export.json", views_organizer.export, name="organizer_export"),
    path("people/<int:volunteer_id>/erase/", views_organizer.erase, name="organizer_erase"),
    path("settings/retention/", views_retention.retention, name="organizer_retention"),
]

api_urls = [
    addresses.call("volunteers/<id:volunteer_id>/export/", api.Export),
    addresses.call("volunteers/<id:volunteer_id>/erase/", api.Erase),
]
