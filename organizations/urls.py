"""URL routes for accounts. `config.urls` adds allauth's under /accounts/."""

from django.urls import path

from organizations.web import organization_choice, start, unsaved_form

urlpatterns = [
    path("start/", start.show_start, name="start"),
    path("start/<str:token>/", start.open_invitation_link, name="invitation"),
    path("organizer/switch/", organization_choice.switch_organization, name="switch_organization"),
    path("organizer/unsaved/", unsaved_form.show_unsaved_form, name="unsaved_form"),
]
