"""Django's mail settings, and the system checks of the message settings."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.mail import EmailMultiAlternatives, send_mail
from django.test import override_settings

from notifications import checks
from notifications.models import Message
from tests.notifications import made


@pytest.mark.django_db
@override_settings(EMAIL_BACKEND="notifications.mail.OutboxBackend")
def test_djangos_mail_is_queued_for_each_recipient() -> None:
    mail = EmailMultiAlternatives("Sign in", "Your link", "x@example.org", ["ben@example.org", "cleo@example.org"])
    mail.attach_alternative("<p>Your link</p>", "text/html")
    assert mail.send() == 1
    queued = Message.objects.order_by("address")
    assert [(one.address, one.organization, one.subject, one.text, one.html) for one in queued] == [
        ("ben@example.org", None, "Sign in", "Your link", "<p>Your link</p>"),
        ("cleo@example.org", None, "Sign in", "Your link", "<p>Your link</p>"),
    ]


@pytest.mark.django_db
@override_settings(EMAIL_BACKEND="notifications.mail.OutboxBackend")
def test_djangos_mail_leaves_with_the_next_sweep() -> None:
    send_mail("Sign in", "Your link", None, ["ben@example.org"])
    due_at = Message.objects.get().due_at
    assert made.deliver(due_at) == {"delivered": 1}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, []),
        ({"EMAIL_URL": "smtp://user:secret@mail.example.org:587"}, []),
        ({"EMAIL_URL": "submission://mail.example.org"}, []),
        ({"EMAIL_URL": "smtp://mail.example.org:465/?ssl=on"}, []),
        ({"EMAIL_URL": "smtps://mail.example.org"}, ["notifications.E001"]),
        ({"EMAIL_URL": "mail.example.org"}, ["notifications.E001"]),
        ({"EMAIL_URL": "http://mail.example.org"}, ["notifications.E001"]),
        ({"TWILIO_FROM": "202 555 0100"}, ["notifications.E002"]),
        ({"TWILIO_MESSAGING_SERVICE_SID": "AC1"}, ["notifications.E003"]),
        ({"SMS_PROVIDER": "twilio", "TWILIO_API_URL": "http://provider.example.org"}, ["notifications.E004"]),
        ({"SMS_PROVIDER": "twilio", "TWILIO_API_URL": "http://127.0.0.1:9999"}, []),
        ({"EMAIL_FROM": "nobody"}, ["notifications.E005"]),
    ],
)
def test_settings_that_cannot_work_are_named(changed: dict[str, Any], wrong: list[str]) -> None:
    with override_settings(**changed):
        assert [found.id for found in run_checks(tags=["notifications"])] == wrong


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("inbox", []),
        ("smtp://localhost", []),
        ("submission://mail.example.org", []),
        ("smtp://user:secret@mail.example.org", []),
        ("smtp://mail.example.org:465/?ssl=on", []),
        ("smtp://mail.example.org", ["notifications.W001"]),
    ],
)
def test_mail_in_clear_text_is_named_before_deployment(url: str, wrong: list[str]) -> None:
    with override_settings(EMAIL_URL=url):
        assert [found.id for found in checks.check_mail_encryption()] == wrong
