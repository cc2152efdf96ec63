"""Addresses of accounts: allauth's own are put under /accounts/ by config."""

from django.urls import path

from organizations.web import switching

urlpatterns = [path("organizer/switch/", switching.switch_organization, name="switch_organization")]
