"""Addresses of plans, sites, centers and causes."""

from django.urls import path

from drives.api import addresses
from drives.planning import api, api_records, views_lifecycle, views_plan, views_sites

organizer_urls = [
    path("drives/new/", views_plan.new_drive, name="organizer_new_drive"),
    path("drives/<int:drive_id>/plan/", views_plan.edit_drive, name="organizer_plan"),
    path("drives/<int:drive_id>/publish/", views_lifecycle.publish, name="organizer_publish"),
    path("drives/<int:drive_id>/close/", views_lifecycle.close, name="organizer_close"),
    path("drives/<int:drive_id>/cancel/", views_lifecycle.cancel_drive, name="organizer_cancel_drive"),
    path("drives/<int:drive_id>/copy/", views_lifecycle.copy_drive, name="organizer_copy_drive"),
    path("places/", views_sites.overview, name="organizer_directory"),
    path("places/sites/new/", views_sites.new_site, name="organizer_new_site"),
    path("places/sites/<int:pk>/", views_sites.edit_site, name="organizer_site"),
    path("places/centers/new/", views_sites.new_collector, name="organizer_new_collector"),
    path("places/centers/<int:pk>/", views_sites.edit_collector, name="organizer_collector"),
    path("places/causes/new/", views_sites.new_cause, name="organizer_new_cause"),
    path("places/causes/<int:pk>/", views_sites.edit_cause, name="organizer_cause"),
]

api_urls = [
    addresses.call("drives/", api.Drives),
    addresses.call("drives/preview/", api.Preview),
    addresses.call("drives/<id:drive_id>/", api.OneDrive),
    addresses.call("drives/<id:drive_id>/slots/", api.Slots),
    addresses.call("drives/<id:drive_id>/publish/", api.Publish),
    addresses.call("drives/<id:drive_id>/close/", api.Close),
    addresses.call("drives/<id:drive_id>/cancel/", api.CancelDrive),
    addresses.call("drives/<id:drive_id>/copy/", api.Copy),
    addresses.call("organizations/", api_records.Organizations),
    addresses.call("organizations/<id:pk>/", api_records.OneOrganization),
    addresses.call("sites/", api_records.Sites),
    addresses.call("sites/<id:pk>/", api_records.OneSite),
    addresses.call("causes/", api_records.Causes),
    addresses.call("causes/<id:pk>/", api_records.OneCause),
    addresses.call("centers/", api_records.Collectors),
    addresses.call("centers/<id:pk>/", api_records.OneCollector),
    addresses.call("policies/", api_records.Policies),
    addresses.call("policies/<id:pk>/", api_records.OnePolicy),
]
