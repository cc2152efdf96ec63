"""URL routes for accounts. `config.urls` adds allauth's under /accounts/."""

from django.urls import path

from organizations.web import organization_choice, unsaved_form

urlpatterns = [
    path("organizer/switch/", organization_choice.switch_organization, name="switch_organization"),
    path("organizer/unsaved/", unsaved_form.show_unsaved_form, name="unsaved_form"),
]
