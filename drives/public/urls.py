from django.urls import path

from drives.models import Visit
from drives.public import views_cause, views_donor, views_embed, views_pages, views_times

donor_urls = [
    path("", views_donor.show_home, name="home"),
    path("o/<slug:slug>/", views_donor.show_organization, name="organization"),
    path("o/<slug:slug>/accent.css", views_pages.show_accent_stylesheet, name="organization_accent"),
    path("o/<slug:slug>/privacy/", views_pages.show_organization_privacy, name="organization_privacy"),
    path("o/<slug:slug>/terms/", views_pages.show_organization_terms, name="organization_terms"),
    path("embed/<slug:slug>/", views_embed.show_embed, name="embed"),
    path("embed/<slug:slug>/<slug:drive_slug>/", views_embed.show_embedded_drive, name="embed_drive"),
    path("d/<slug:slug>/", views_donor.show_drive, name="drive"),
    path("d/<slug:slug>/preview.png", views_pages.show_preview_picture, name="drive_preview"),
    path("d/<slug:slug>/self-check/", views_donor.show_self_check, name="self_check"),
    path("t/<int:slot_id>/", views_times.redirect_to_time, name="slot"),
    path("t/<int:slot_id>/first/", views_times.redirect_to_time, {"visit": Visit.FIRST}, name="slot_first_visit"),
    path("c/<slug:slug>/", views_cause.show_cause, name="cause"),
    path("o/<slug:slug>/logo-<slug:digest>.png", views_pages.show_logo, name="organization_logo"),
    path("c/<slug:slug>/picture-<slug:digest>.jpg", views_cause.show_cause_picture, name="cause_picture"),
    path("privacy/", views_pages.show_privacy, name="privacy"),
    path("terms/", views_pages.show_terms, name="terms"),
    path("language/", views_pages.switch_language, name="set_language"),
]
