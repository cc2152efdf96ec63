"""Addresses of accounts: allauth's own are put under /accounts/ by config."""

from django.urls import path

from organizations.web import organization_choice

urlpatterns = [path("organizer/switch/", organization_choice.switch_organization, name="switch_organization")]
