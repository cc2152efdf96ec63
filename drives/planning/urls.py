from django.urls import path

from drives.api import routes
from drives.planning import api, api_records, views_lifecycle, views_plan, views_sites

organizer_urls = [
    path("drives/new/", views_plan.new_drive, name="organizer_new_drive"),
    path("drives/<int:drive_id>/edit/", views_plan.edit_drive, name="organizer_edit_drive"),
    path("drives/<int:drive_id>/publish/", views_lifecycle.open_online_booking, name="organizer_publish_drive"),
    path("drives/<int:drive_id>/close/", views_lifecycle.close_online_booking, name="organizer_close_drive"),
    path("drives/<int:drive_id>/cancel/", views_lifecycle.confirm_drive_cancellation, name="organizer_cancel_drive"),
    path("drives/<int:drive_id>/copy/", views_lifecycle.choose_copy_day, name="organizer_copy_drive"),
    path("sites/", views_sites.show_directory, name="organizer_sites"),
    path("sites/new/", views_sites.new_site, name="organizer_new_site"),
    path("sites/<int:pk>/", views_sites.edit_site, name="organizer_edit_site"),
    path("centers/new/", views_sites.new_center, name="organizer_new_center"),
    path("centers/<int:pk>/", views_sites.edit_center, name="organizer_center"),
    path("causes/new/", views_sites.new_cause, name="organizer_new_cause"),
    path("causes/<int:pk>/", views_sites.edit_cause, name="organizer_edit_cause"),
]

api_urls = [
    routes.build_route("drives/", api.DriveListView),
    routes.build_route("drives/preview/", api.PreviewDriveView),
    routes.build_route("drives/<id:drive_id>/", api.DriveView),
    routes.build_route("drives/<id:drive_id>/slots/", api.SlotListView),
    routes.build_route("drives/<id:drive_id>/publish/", api.PublishDriveView),
    routes.build_route("drives/<id:drive_id>/close/", api.CloseDriveView),
    routes.build_route("drives/<id:drive_id>/cancel/", api.CancelDriveView),
    routes.build_route("drives/<id:drive_id>/copy/", api.CopyDriveView),
    routes.build_route("organizations/", api_records.OrganizationListView),
    routes.build_route("organizations/<id:pk>/", api_records.OrganizationView),
    routes.build_route("sites/", api_records.SiteListView),
    routes.build_route("sites/<id:pk>/", api_records.SiteView),
    routes.build_route("causes/", api_records.CauseListView),
    routes.build_route("causes/<id:pk>/", api_records.CauseView),
    routes.build_route("centers/", api_records.CenterListView),
    routes.build_route("centers/<id:pk>/", api_records.CenterView),
    routes.build_route("policies/", api_records.PolicyListView),
    routes.build_route("policies/<id:pk>/", api_records.PolicyView),
]
