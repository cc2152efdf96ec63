"""The admin shows rows but changes nothing. The audit log gets an entry for each page that shows rows."""

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client, RequestFactory

from notifications.models import Message
from organizations.models import AuditEntry, Membership, Organization, Role, User
from organizations.web.read_only_admin import ReadOnlyAdmin
from tests import builders

pytestmark = pytest.mark.django_db
MODELS = [
    pytest.param(model, admin.site.get_model_admin(model), id=model._meta.label)
    for model in sorted(apps.get_models(), key=lambda model: model._meta.label)
    if admin.site.is_registered(model)
]


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@example.org", builders.PASSWORD)


@pytest.fixture
def browser(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def path(model: type[Model], page: str = "") -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{page}"


@pytest.mark.parametrize(("model", "page"), MODELS)
def test_no_page_may_add_change_delete_or_act(model: type[Model], page: ReadOnlyAdmin, root: User) -> None:
    request = RequestFactory().get("/")
    request.user = root
    granted = [
        page.has_add_permission(request),
        page.has_change_permission(request),
        page.has_delete_permission(request),
    ]
    assert (isinstance(page, ReadOnlyAdmin), granted, page.get_actions(request)) == (True, [False] * 3, {})
    for inline in page.get_inline_instances(request):
        rows = [inline.has_add_permission, inline.has_change_permission, inline.has_delete_permission]
        assert [one(request, None) for one in rows] == [False] * 3


@pytest.mark.parametrize(("model", "page"), MODELS)
def test_every_post_is_refused(model: type[Model], page: ReadOnlyAdmin, browser: Client, root: User) -> None:
    builders.booked(builders.drive())
    row = model._default_manager.first()
    pk = row.pk if row else 1
    before = list(model._default_manager.order_by("pk").values()) if model is not AuditEntry else []
    for address in (path(model, "add/"), path(model, f"{pk}/change/"), path(model, f"{pk}/delete/")):
        assert browser.post(address, {"name": "x"}).status_code in {302, 403, 404}, address
    browser.post(path(model), {"action": "delete_selected", "_selected_action": [pk], "post": "yes"})
    browser.post(path(model), {"action": "resume", "_selected_action": [pk]})
    if model is not AuditEntry:
        assert list(model._default_manager.order_by("pk").values()) == before


@pytest.mark.parametrize(("model", "page"), MODELS)
def test_every_list_adds_an_audit_entry(model: type[Model], page: ReadOnlyAdmin, browser: Client, root: User) -> None:
    booking = builders.booked(builders.drive())
    AuditEntry.objects.all().delete()
    assert browser.get(path(model)).status_code == 200
    [entry] = AuditEntry.objects.all()
    assert (entry.actor, entry.verb, entry.about) == (f"user:{root.pk}", "admin.listed", model._meta.label_lower)
    if model._meta.label in {"volunteers.Volunteer", "volunteers.Contact", "volunteers.Registration"}:
        assert entry.organization == booking.drive.organization


@pytest.mark.parametrize(("model", "page"), MODELS)
def test_a_list_is_searched_only_by_its_own_filters(model: type[Model], page: ReadOnlyAdmin, root: User) -> None:
    request = RequestFactory().get("/")
    request.user = root
    for field in model._meta.concrete_fields:
        for lookup in ("startswith", "contains", "exact"):
            is_filter = field.name in page.list_filter
            assert page.lookup_allowed(f"{field.name}__{lookup}", "x", request) == is_filter, field
    assert not page.lookup_allowed("organization__api_keys__secret_hash__startswith", "x", request)


def test_hidden_texts_and_passwords_are_not_guessed_letter_by_letter(root: User) -> None:
    def search(model: type[Model], **lookup: str) -> object:
        request = RequestFactory().get("/", lookup)
        request.user = root
        return admin.site.get_model_admin(model).get_changelist_instance(request)

    for model, lookup in ((Message, {"text__contains": "4"}), (User, {"password__startswith": "p"})):
        with pytest.raises(DisallowedModelAdminLookup):
            search(model, **lookup)
    assert search(Message, state__exact="queued") is not None


def test_control_a_plain_list_is_searched_by_hidden_texts(root: User) -> None:
    request = RequestFactory().get("/")
    request.user = root
    assert admin.ModelAdmin(Message, admin.AdminSite()).lookup_allowed("text__contains", "4", request)


def test_a_list_of_two_organizations_is_written_down_for_both(browser: Client) -> None:
    drives = [builders.drive(builders.organization(name)) for name in ("Hope", "Other")]
    both = [builders.booked(drive, number=42 + n).drive.organization for n, drive in enumerate(drives)]
    browser.get("/admin/volunteers/contact/")
    listed = AuditEntry.objects.filter(verb="admin.listed")
    assert {entry.organization_id for entry in listed} == {one.pk for one in both}


def test_a_record_that_is_opened_adds_an_audit_entry(browser: Client) -> None:
    booking = builders.booked(builders.drive())
    contact = booking.volunteer.phone if booking.volunteer else None
    assert contact
    page = browser.get(f"/admin/volunteers/contact/{contact.pk}/change/")
    assert contact.address in page.content.decode()
    [entry] = AuditEntry.objects.filter(verb="admin.viewed")
    assert (entry.organization, entry.about) == (contact.organization, f"volunteers.contact:{contact.pk}")
    assert browser.get(f"/admin/volunteers/contact/{contact.pk}/history/").status_code == 404


def test_names_are_not_listed_without_an_entry(browser: Client) -> None:
    builders.booked(builders.drive())
    asked = {"app_label": "volunteers", "model_name": "contact", "field_name": "owner", "term": ""}
    assert browser.get("/admin/autocomplete/", asked).status_code == 403


def test_pages_of_other_packages_stay_closed(browser: Client) -> None:
    assert not any(admin.site.is_registered(model) for model in (Authenticator, Group))
    assert browser.get("/admin/mfa/authenticator/").status_code == 404


def test_control_a_plain_site_has_pages_that_change_rows(root: User) -> None:
    plain = admin.AdminSite()
    plain.register(Group)
    request = RequestFactory().get("/")
    request.user = root
    assert plain.get_model_admin(Group).has_change_permission(request)


def test_the_admin_cannot_take_the_last_owner(browser: Client) -> None:
    ben = builders.member(builders.organization(), Role.OWNER)
    page = path(Organization, f"{ben.organization_id}/change/")
    typed = {
        "name": "Hope",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": str(ben.pk),
        "memberships-0-DELETE": "on",
    }
    assert browser.post(page, typed).status_code == 403
    assert Membership.objects.get().role == Role.OWNER


def test_a_command_changes_members_and_keeps_the_last_owner(capsys: pytest.CaptureFixture[str]) -> None:
    ben = builders.member(builders.organization(), Role.OWNER)
    slug = ben.organization.slug
    with pytest.raises(CommandError, match="owner"):
        call_command("set_member", slug, ben.user.email, "viewer")
    call_command("set_member", slug, "dana@example.org", "owner")
    call_command("set_member", slug, ben.user.email, "none")
    assert Membership.objects.get().user.email == "dana@example.org"
    assert list(AuditEntry.objects.order_by("pk").values_list("actor", "verb"))[-2:] == [
        ("command", "added"),
        ("command", "removed"),
    ]
    for refused in ([slug, "nobody@example.org", "none"], ["unknown", ben.user.email, "viewer"], [slug, "x", "viewer"]):
        with pytest.raises(CommandError):
            call_command("set_member", *refused)


def test_a_command_resets_a_second_step() -> None:
    ben = builders.member(builders.organization())
    Authenticator.objects.create(user=ben.user, type="totp", data={})
    call_command("reset_second_step", ben.user.email)
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.get(verb="second_step.reset").organization == ben.organization
    with pytest.raises(CommandError):
        call_command("reset_second_step", "nobody@example.org")
