"""Addresses of accounts: allauth's own are put under /accounts/ by config."""

from django.urls import path

from organizations.web.switching import switch_organization

urlpatterns = [path("organizer/switch/", switch_organization, name="switch_organization")]
