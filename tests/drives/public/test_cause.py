"""The page of a cause, its picture, and the links to it."""

import io
import random
import re
import struct
import zlib
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from drives.models import Booking
from drives.web import pictures
from organizations.models import Cause, CauseFact, CausePicture, Organization, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.query_counts import Act

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def cause_of(owner: Organization, facts: int = 1, slug: str = "zoe") -> Cause:
    cause = Cause.objects.create(
        organization=owner,
        title={"en": "Running for Zoe", "es": "Corremos por Zoe"},
        slug=slug,
        summary="Plasma becomes medicine.",
        story={"en": "## Meet Zoe\n\nA **story**.", "es": "Una **historia**."},
        condition="It is rare.",
        need="Immunoglobulin is made from plasma.",
        give_url="https://example.org/give",
        run_url="https://example.org/run",
    )
    for n in range(facts):
        CauseFact.objects.create(
            cause=cause, text=f"Fact {n}", source_name="A journal", source_url="https://example.org/"
        )
    return cause


def picture_file(size: tuple[int, int] = (2400, 1200), kind: str = "JPEG") -> SimpleUploadedFile:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"  # the description
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new("RGB", size, "red").save(out, kind, exif=exif)
    return SimpleUploadedFile("x.jpg", out.getvalue(), content_type="image/jpeg")


def typed(**changes: object) -> dict[str, object]:
    return {
        "title": "Running for Zoe",
        "summary": "Plasma becomes medicine.",
        "facts-TOTAL_FORMS": "0",
        "facts-INITIAL_FORMS": "0",
        **changes,
    }


def test_the_page_tells_the_story_the_facts_and_how_to_help() -> None:
    drive = builders.drive()
    cause = cause_of(drive.organization)
    drive.cause = cause
    drive.save(update_fields=["cause"])
    answer = Client().get("/c/zoe/")
    shown = answer.content.decode()
    assert "<strong>story</strong>" in shown
    for words in ("Who we honor", "About the disease", "Why plasma matters", "Give money", "Run", "Spread the word"):
        assert words in donor.text(answer)
    assert '<a href="https://example.org/" rel="noopener">A journal</a>' in shown
    assert f'href="/d/{drive.slug}/"' in shown
    assert "historia" in Client(headers={"accept-language": "es"}).get("/c/zoe/").content.decode()


def test_the_page_shows_the_next_three_drives_of_the_cause() -> None:
    cause = cause_of(builders.organization())
    days = [NOW.date() + timedelta(days=n) for n in (10, 11, 12, 13)]
    slugs = [builders.drive(cause.organization, cause_id=cause.pk, day=day).slug for day in reversed(days)]
    builders.drive(cause.organization, day=days[0])  # without the cause
    shown = Client().get("/c/zoe/").content.decode()
    assert re.findall(r'href="/d/([^/]+)/"', shown) == slugs[:0:-1]


def test_the_pages_of_a_drive_lead_to_its_cause() -> None:
    drive = builders.drive()
    drive.cause = cause_of(drive.organization)
    drive.save(update_fields=["cause"])
    browser = Client()
    booking = donor.booked(browser, drive)
    owner = drive.organization.slug
    paths = [f"/d/{drive.slug}/", f"/o/{owner}/", f"/embed/{owner}/", f"/embed/{owner}/{drive.slug}/"]
    paths.append(f"/b/{booking.reference}/")
    for path in paths:
        assert 'href="/c/zoe/"' in browser.get(path).content.decode(), path
    Booking.objects.filter(pk=booking.pk).update(state="donated", donated_at=NOW)
    assert 'href="/c/zoe/"' in browser.get(f"/b/{booking.reference}/").content.decode()


def test_an_uploaded_picture_is_turned_reduced_and_has_no_metadata() -> None:
    cause = cause_of(builders.organization())
    ben = coordinator.signed_in(builders.member(cause.organization, Role.COORDINATOR))
    path = reverse("organizer_edit_cause", args=[cause.pk])
    assert ben.post(path, typed(picture=picture_file(), picture_text="A drop")).status_code == 302
    kept = CausePicture.objects.get()
    shown = Client().get(reverse("cause_picture", args=["zoe", kept.digest]))
    assert shown["Content-Type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(shown.content))
    assert picture.size == (kept.width, kept.height) == (600, 1200)
    assert not picture.getexif()
    assert b"taken at home" not in shown.content
    assert 'alt="A drop"' in Client().get("/c/zoe/").content.decode()
    assert ben.post(path, typed(removes_picture="on", picture_text="A drop")).status_code == 302
    assert not CausePicture.objects.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Choose a JPEG, PNG or WebP picture."),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "Choose a JPEG, PNG or WebP picture."),
        (b"\x89PNG\r\n\x1a\n broken", "Choose a JPEG, PNG or WebP picture."),
        (b"x" * 8 * 1024 * 1024, "Choose a JPEG, PNG or WebP picture."),
        (b"x" * (8 * 1024 * 1024 + 1), "Choose a picture of at most 8 MB."),
    ],
    ids=["svg", "gif", "broken", "eight megabytes", "one byte more"],
)
def test_a_bad_picture_is_refused(content: bytes, message: str) -> None:
    cause = cause_of(builders.organization())
    ben = coordinator.signed_in(builders.member(cause.organization, Role.COORDINATOR))
    file = SimpleUploadedFile("x.png", content, content_type="image/png")
    answer = ben.post(reverse("organizer_edit_cause", args=[cause.pk]), typed(picture=file, picture_text="A drop"))
    assert answer.status_code == 422
    assert message in donor.text(answer)
    assert not CausePicture.objects.exists()


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    for size in ((8000, 5001), (20_000, 20_000), (60_000, 60_000)):
        with pytest.raises(ValidationError) as refused:
            pictures.reduce_picture(io.BytesIO(png_head(size)), 100)
        assert refused.value.code == "picture_too_large", size


def test_a_picture_of_forty_megapixels_is_reduced() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        out = io.BytesIO()
        Image.new("L", (8000, 5000)).save(out, kind)
        kept = pictures.reduce_picture(out, out.tell())
        assert (kept.width, kept.height) == (1600, 1000), kind


def png_head(size: tuple[int, int]) -> bytes:
    """Return the start of a PNG that declares this size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + b"\0\0\0\x01IDAT"


@pytest.mark.filterwarnings("ignore::UserWarning")  # about damaged metadata
def test_damaged_pictures_are_refused_and_never_a_fault() -> None:
    chance = random.Random(5)
    for kind in ("JPEG", "PNG", "WEBP"):
        good = picture_file((60, 40), kind).read()
        for _attempt in range(300):
            damaged = bytearray(good[: chance.choice([len(good), chance.randrange(1, len(good))])])
            for _byte in range(chance.randrange(1, 6)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            with suppress(ValidationError):
                pictures.reduce_picture(io.BytesIO(damaged), len(damaged))


def test_a_picture_that_is_kept_needs_words_until_it_is_removed() -> None:
    cause = cause_of(builders.organization())
    ben = coordinator.signed_in(builders.member(cause.organization, Role.COORDINATOR))
    path = reverse("organizer_edit_cause", args=[cause.pk])
    ben.post(path, typed(picture=picture_file((40, 40)), picture_text="A drop"))
    answer = ben.post(path, typed())
    assert answer.status_code == 422
    assert "Write what the picture shows." in donor.text(answer)
    assert ben.post(path, typed(removes_picture="on")).status_code == 302


def test_a_picture_needs_words() -> None:
    cause = cause_of(builders.organization())
    ben = coordinator.signed_in(builders.member(cause.organization, Role.COORDINATOR))
    answer = ben.post(reverse("organizer_edit_cause", args=[cause.pk]), typed(picture=picture_file((40, 40))))
    assert answer.status_code == 422
    assert "Write what the picture shows." in donor.text(answer)


def test_two_organizations_have_causes_of_one_name() -> None:
    for owner in (builders.organization(), builders.organization("Other")):
        ben = coordinator.signed_in(builders.member(owner, Role.OWNER))
        assert ben.post(reverse("organizer_new_cause"), typed()).status_code == 302
    assert sorted(Cause.objects.values_list("slug", flat=True)) == ["running-for-zoe", "running-for-zoe-2"]


def test_the_page_takes_as_many_queries_for_any_number_of_facts() -> None:
    owner = builders.organization()

    def prepare(number: int) -> Act:
        cause = cause_of(owner, number, f"zoe-{number}")
        for _n in range(number):
            builders.drive(owner, cause_id=cause.pk)
        browser = Client()
        return lambda: browser.get(f"/c/{cause.slug}/")

    assert query_counts.count_for_each(prepare) <= 5


def test_only_the_pages_with_long_texts_load_them() -> None:
    drive = builders.drive()
    drive.cause = cause_of(drive.organization)
    drive.save(update_fields=["cause"])
    for path, shown in (
        (f"/d/{drive.slug}/", {'"need"', '"story"'}),
        (f"/d/{drive.slug}/self-check/", set()),
        (f"/embed/{drive.organization.slug}/{drive.slug}/", set()),
        ("/c/zoe/", {'"need"', '"story"', '"condition"'}),
    ):
        with CaptureQueriesContext(connection) as queries:
            Client().get(path)
        texts = {
            name
            for query in queries.captured_queries
            for name in ('"need"', '"story"', '"condition"')
            if f'"organizations_cause".{name}' in query["sql"]
        }
        assert texts == shown, path
