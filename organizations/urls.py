"""URL routes for accounts. `config.urls` adds allauth's under /accounts/."""

from django.urls import path

from organizations.web import organization_choice

urlpatterns = [path("organizer/switch/", organization_choice.switch_organization, name="switch_organization")]
