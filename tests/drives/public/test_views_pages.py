"""Accent colors, languages, privacy and terms."""

import pytest
from django.test import Client
from django.urls import reverse

from drives.web import colors
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.drives.donor import text


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#1f4e5f", "#ffffff", 9.08),
    ],
)
def test_contrast_is_counted_as_wcag_does(one: str, other: str, ratio: float) -> None:
    assert round(colors.compute_contrast(one, other), 1) == round(ratio, 1)


@pytest.mark.parametrize("accent", ["#1f4e5f", "#7a1f5c", "#000000", "#8a1c1c"])
def test_an_accent_reads_by_day_and_at_night(accent: str) -> None:
    assert colors.is_readable(accent)
    assert colors.compute_contrast(colors.lighten_for_dark_mode(accent), colors.DARK_CARD) >= colors.MIN_DARK_CONTRAST
    assert colors.compute_contrast(colors.lighten_for_dark_mode(accent), colors.DARK_INK) >= colors.MIN_CONTRAST


@pytest.mark.parametrize("accent", ["#ffcc00", "#8cc7d9", "#777777"])
def test_an_accent_that_cannot_be_read_is_left_out(accent: str) -> None:
    assert colors.build_stylesheet(accent) == ""


@pytest.mark.django_db
def test_the_accent_of_an_organization_is_a_stylesheet_that_caches_keep() -> None:
    here = builders.organization(accent="#7a1f5c")
    response = Client().get(reverse("organization_accent", args=[here.slug]))
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=86400"
    assert "--accent:#7a1f5c" in response.content.decode()


@pytest.mark.django_db
def test_pages_carry_no_inline_script_style_or_third_party() -> None:
    drive = builders.drive()
    shown = Client().get(reverse("drive", args=[drive.slug])).content.decode()
    assert " style=" not in shown
    assert "<style" not in shown
    assert "<script>" not in shown
    assert 'src="http' not in shown


@pytest.mark.django_db
@pytest.mark.time_machine(NOW, tick=False)
def test_the_language_is_switched_by_a_button_and_kept() -> None:
    browser, drive = Client(), builders.drive()
    address = reverse("drive", args=[drive.slug])
    response = browser.post(reverse("set_language"), {"language": "es", "next": address}, follow=True)
    shown = text(response)
    assert response.content.decode().count('<html lang="es">') == 1
    assert "Elija un horario" in shown
    assert "sábado 13 de marzo" in shown
    assert "English" in shown


@pytest.mark.django_db
def test_the_terms_describe_the_texting_programme() -> None:
    shown = text(Client().get(reverse("terms")))
    for words in (
        "Message and data rates may apply.",
        "Reply STOP",
        "Reply HELP",
        "about 4 texts",
        "you can book without them",
    ):
        assert words in shown


@pytest.mark.django_db
def test_the_privacy_page_says_what_is_never_kept() -> None:
    shown = text(Client().get(reverse("privacy")))
    assert "never sell phone numbers" in shown
    assert "Medical answers" in shown


@pytest.mark.django_db
def test_an_unknown_organization_is_not_found() -> None:
    assert Organization.objects.count() == 0
    assert [
        Client().get(reverse(name, args=["nobody"])).status_code
        for name in ("organization", "organization_accent", "embed")
    ] == [404] * 3


@pytest.mark.django_db
@pytest.mark.parametrize(("until", "is_listed"), [(9, False), (8, True)])
def test_the_terms_name_the_hours_of_texts_and_the_organizations_with_others(until: int, *, is_listed: bool) -> None:
    builders.organization("Harbor Fund", quiet_until_hour=until)
    shown = text(Client().get("/terms/"))
    assert "Texts go out between 9:00 AM and 8:00 PM local time at the drive" in shown
    assert ("These organizations have set other hours: Harbor Fund: 8:00 AM – 8:00 PM" in shown) is is_listed
    assert ("Harbor Fund" in shown) is is_listed
