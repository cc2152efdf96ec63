"""The coordinator's Share page, the posters and the QR codes."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from drives.models import Drive, ShareLink
from organizations.models import Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.query_counts import Act

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def ben_of(drive: Drive, role: Role = Role.COORDINATOR) -> Client:
    return coordinator.signed_in(builders.member(drive.organization, role))


def test_the_page_has_the_addresses_texts_and_codes() -> None:
    drive = builders.drive()
    page = ben_of(drive).get(reverse("organizer_share", args=[drive.pk]))
    shown = page.content.decode()
    assert f"/s/{drive.pk}/" in shown
    assert f"/d/{drive.slug}/" in shown
    assert "Choose a time here" in shown
    assert "Elija un horario" in shown
    assert f"/embed/{drive.organization.slug}/{drive.slug}/" in shown
    assert "frame-src &#x27;self&#x27;" not in shown
    assert "frame-src 'self'" in page["Content-Security-Policy"]


def test_a_coordinator_adds_and_removes_a_link() -> None:
    drive = builders.drive()
    ben, path = ben_of(drive), reverse("organizer_share", args=[drive.pk])
    assert ben.post(path, {"name": "Dana"}).status_code == 302
    link = ShareLink.objects.get()
    assert "Dana" in donor.text(ben.get(path))
    again = ben.post(path, {"name": "dana"})
    assert again.status_code == 422
    assert "already has a link with that name" in donor.text(again)
    ben.post(reverse("organizer_remove_share_link", args=[drive.pk, link.pk]))
    assert not ShareLink.objects.exists()


def test_only_planners_share() -> None:
    drive = builders.drive()
    for role in (Role.CHECK_IN, Role.VIEWER):
        assert ben_of(drive, role).get(reverse("organizer_share", args=[drive.pk])).status_code == 403


def test_a_stranger_removes_no_link() -> None:
    drive, other = builders.drive(), builders.drive()
    link = ShareLink.objects.create(drive=drive, name="Dana", created_at=NOW)
    path = reverse("organizer_remove_share_link", args=[other.pk, link.pk])
    assert ben_of(other).post(path).status_code == 404
    assert ben_of(other).post(reverse("organizer_remove_share_link", args=[drive.pk, link.pk])).status_code == 404


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("sheet", ["poster", "flyer"])
def test_a_poster_is_in_the_chosen_language_and_size(sheet: str, language: str) -> None:
    drive = builders.drive()
    query = {"sheet": sheet, "paper": "a4", "language": language}
    shown = ben_of(drive).get(reverse("organizer_poster", args=[drive.pk]), query).content.decode()
    assert "site/paper_a4" in shown
    assert shown.count('<section class="poster"') == {"poster": 1, "flyer": 2}[sheet]
    words = {"en": "Scan to choose a time", "es": "Escanee para elegir un horario"}
    assert words[language] in shown
    assert f'lang="{language}"' in shown


def test_a_poster_of_a_link_has_its_address() -> None:
    drive = builders.drive()
    link = ShareLink.objects.create(drive=drive, name="Dana", created_at=NOW)
    shown = ben_of(drive).get(reverse("organizer_poster", args=[drive.pk]), {"link": link.pk}).content.decode()
    assert f"/s/{link.code}" in shown
    for nonsense in ("0", "x", "٣"):
        assert ben_of(drive).get(reverse("organizer_poster", args=[drive.pk]), {"link": nonsense}).status_code == 200


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_the_qr_code_is_downloaded_as_a_file(kind: str, start: bytes) -> None:
    drive = builders.drive()
    answer = ben_of(drive).get(reverse(f"organizer_qr_{kind}", args=[drive.pk]))
    assert answer.content.startswith(start)
    assert re.fullmatch(rf'attachment; filename="[\w-]+-qr\.{kind}"', answer["Content-Disposition"])


def test_the_page_takes_as_many_queries_for_any_number_of_links() -> None:
    def prepare(number: int) -> Act:
        drive = builders.drive()
        for n in range(number):
            ShareLink.objects.create(drive=drive, name=f"Recruiter {n}", created_at=NOW)
        ben = ben_of(drive)
        path = reverse("organizer_share", args=[drive.pk])
        ben.get(path)
        return lambda: ben.get(path)

    query_counts.count_for_each(prepare)
