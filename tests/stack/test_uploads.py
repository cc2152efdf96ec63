"""The real web server accepts a large body only for the forms with a file.

It drops the large bodies of other forms, and the CSRF token in the body with them.
"""

from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.embedded.guard import Guard
from drives.imports import rules
from drives.web import pictures
from tests import programs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("stack")]

TOKEN = "a" * 32


def test_a_picture_of_eight_megabytes_arrives(guard: Guard, tmp_path: Path) -> None:
    """If the token arrives, a visitor who has not signed in is redirected."""

    def upload(name: str, length: int) -> int:
        form, cookies = {"csrfmiddlewaretoken": TOKEN}, {settings.CSRF_COOKIE_NAME: TOKEN}
        file = {"picture": ("photo.jpg", b"x" * length, "image/jpeg")}
        path = f"http://localhost:{port}{reverse(name)}"
        return requests.post(path, form, files=file, cookies=cookies, allow_redirects=False, timeout=30).status_code

    with programs.web(guard, tmp_path / "web.log", WEB_CONCURRENCY="1") as port:
        assert upload("organizer_new_cause", pictures.MAX_BYTES) == 302
        assert upload("organizer_new_site", 1024 * 1024) == 302
        assert upload("organizer_new_site", 3 * 1024 * 1024) != 302  # control: another form


@pytest.mark.parametrize(("length", "status"), [(settings.MAX_UPLOAD_BYTES, 413), (pictures.MAX_BYTES, 403)])
def test_a_body_that_is_dropped_is_refused_in_plain_words(length: int, status: int) -> None:
    file = SimpleUploadedFile("photo.jpg", b"x" * length, content_type="image/jpeg")
    answer = Client(enforce_csrf_checks=True).post(reverse("organizer_new_cause"), {"picture": file})
    assert answer.status_code == status
    assert ("Choose a file of at most 8 MB." in answer.content.decode()) == (status == 413)


def test_the_upload_paths_are_those_of_the_forms() -> None:
    names = ("organizer_new_cause", "organizer_import_people")
    look = reverse("organizer_settings_page", args=["look"])
    for path in (*map(reverse, names), reverse("organizer_edit_cause", args=[1]), look):
        assert path.startswith(settings.UPLOAD_PATHS)
    assert max(pictures.MAX_BYTES, rules.MAX_BYTES) < settings.MAX_UPLOAD_BYTES
