from django.urls import path

from drives.sharing import views_donor, views_organizer, views_poster

donor_urls = [
    path("s/<int:drive_id>/", views_donor.redirect_to_drive, name="short_drive"),
    path("s/<slug:code>/", views_donor.follow_share_link, name="share_link"),
    path("s/<slug:code>/visit/", views_donor.count_visit, name="share_link_visit"),
]

organizer_urls = [
    path("drives/<int:drive_id>/share/", views_organizer.show_share_page, name="organizer_share"),
    path(
        "drives/<int:drive_id>/share/<int:link_id>/remove/",
        views_organizer.remove_share_link,
        name="organizer_remove_share_link",
    ),
    path("drives/<int:drive_id>/qr.svg", views_poster.download_qr, {"kind": "svg"}, name="organizer_qr_svg"),
    path("drives/<int:drive_id>/qr.png", views_poster.download_qr, {"kind": "png"}, name="organizer_qr_png"),
    path("drives/<int:drive_id>/poster/", views_poster.show_poster, name="organizer_poster"),
]
