"""An organization's logo: uploaded, checked, shown, replaced and removed."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from organizations.models import AuditEntry, Organization, OrganizationLogo, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator, donor

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW)]

LOOK = reverse("organizer_settings_page", args=["look"])
COLOR = {"accent": "#1f4e5c"}


def logo_file(size: tuple[int, int] = (960, 240), color: str = "red") -> SimpleUploadedFile:
    """Return a PNG with a transparent right half and with a text in its metadata."""
    out, picture = io.BytesIO(), Image.new("RGBA", size, (0, 0, 0, 0))
    picture.paste(Image.new("RGBA", (size[0] // 2, size[1]), color))
    exif = Image.Exif()
    exif[0x010E] = "drawn at home"
    picture.save(out, "PNG", exif=exif)
    return SimpleUploadedFile("logo.png", out.getvalue(), content_type="image/png")


def test_a_logo_is_reduced_and_shown_on_the_pages() -> None:
    ben = builders.member(builders.organization(), Role.OWNER)
    browser, drive = coordinator.signed_in(ben), builders.drive(ben.organization)
    assert 'class="logo"' not in Client().get(f"/d/{drive.slug}/").content.decode()
    assert browser.post(LOOK, {**COLOR, "logo": logo_file()}).status_code == 302
    hope = Organization.objects.get(pk=ben.organization_id)
    address = f"/o/{hope.slug}/logo-{hope.logo_digest}.png"
    shown = Client().get(address)
    assert shown["Content-Type"] == "image/png"
    assert b"drawn at home" not in shown.content
    picture = Image.open(io.BytesIO(shown.content)).convert("RGBA")
    assert picture.size == (hope.logo_width, hope.logo_height) == (480, 120)
    assert [picture.getpixel((x, 60)) for x in (20, 460)] == [(255, 0, 0, 255), (0, 0, 0, 0)]
    for path in (f"/o/{hope.slug}/", f"/d/{drive.slug}/", "/organizer/", LOOK):
        assert f'src="{address}" width="480" height="120" alt=""' in browser.get(path).content.decode(), path
    entry = AuditEntry.objects.get(about=f"organization:{hope.pk}")
    assert entry.fields == ["logo_digest", "logo_width", "logo_height"]


def test_a_new_logo_has_a_new_address_and_a_removed_one_is_gone() -> None:
    ben = builders.member(builders.organization(), Role.OWNER)
    browser = coordinator.signed_in(ben)
    addresses = []
    for color in ("red", "blue"):
        browser.post(LOOK, {**COLOR, "logo": logo_file(color=color)})
        hope = Organization.objects.get(pk=ben.organization_id)
        addresses.append(f"/o/{hope.slug}/logo-{hope.logo_digest}.png")
    assert [Client().get(address).status_code for address in addresses] == [404, 200]
    browser.post(LOOK, COLOR)  # a change of the color keeps the logo
    assert Client().get(addresses[1]).status_code == 200
    browser.post(LOOK, {**COLOR, "removes_logo": "on"})
    assert not OrganizationLogo.objects.exists()
    assert Client().get(addresses[1]).status_code == 404
    assert 'class="logo"' not in browser.get(LOOK).content.decode()


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (
            {"logo": SimpleUploadedFile("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")},
            "Choose a JPEG, PNG or WebP picture.",
        ),
        ({"logo": SimpleUploadedFile("x.png", b"x" * (8 * 1024 * 1024 + 1))}, "Choose a picture of at most 8 MB."),
    ],
    ids=["svg", "too large"],
)
def test_a_bad_logo_is_refused_and_the_old_one_stays(sent: dict[str, SimpleUploadedFile], message: str) -> None:
    ben = builders.member(builders.organization(), Role.OWNER)
    browser = coordinator.signed_in(ben)
    browser.post(LOOK, {**COLOR, "logo": logo_file()})
    before = Organization.objects.get(pk=ben.organization_id).logo_digest
    refused = browser.post(LOOK, {"accent": "#7a1f5c", **sent})
    assert refused.status_code == 422
    assert message in donor.text(refused)
    hope = Organization.objects.get(pk=ben.organization_id)
    assert (hope.logo_digest, hope.accent) == (before, "#1f4e5c")


def test_a_refused_color_saves_no_logo() -> None:
    ben = builders.member(builders.organization(), Role.OWNER)
    assert coordinator.signed_in(ben).post(LOOK, {"accent": "#ffffff", "logo": logo_file()}).status_code == 422
    assert not OrganizationLogo.objects.exists()


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.CHECK_IN, Role.VIEWER])
def test_only_owners_change_the_logo(role: Role) -> None:
    browser = coordinator.signed_in(builders.member(builders.organization(), role))
    assert browser.post(LOOK, {**COLOR, "logo": logo_file()}).status_code == 403
    assert not OrganizationLogo.objects.exists()


def test_the_logo_of_one_organization_is_not_at_the_address_of_another() -> None:
    ben, other = builders.member(builders.organization(), Role.OWNER), builders.organization()
    coordinator.signed_in(ben).post(LOOK, {**COLOR, "logo": logo_file()})
    digest = Organization.objects.get(pk=ben.organization_id).logo_digest
    assert Client().get(f"/o/{other.slug}/logo-{digest}.png").status_code == 404
