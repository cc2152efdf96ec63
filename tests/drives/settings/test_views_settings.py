"""The settings of an organization: an overview page, and a short page for each subject."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation

from drives.settings import queries
from drives.web import colors
from notifications import pace
from notifications.models import Allowance
from organizations import api_keys
from organizations.models import ApiKey, AuditEntry, Membership, Organization, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.drives.donor import text, title

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
ROOT = Path(__file__).resolve().parents[3]
APPS = ("drives", "notifications", "organizations", "volunteers")
AUDIT_FUNCTIONS = {"add_audit_entry", "add_admin_entries"}
OWNER_PAGES = (
    "organizer_setup",
    "organizer_members",
    "organizer_invite_member",
    "organizer_keys",
    "organizer_create_key",
    "organizer_audit_log",
    "organizer_audit_csv",
    "organizer_texting",
    "organizer_sending_settings",
    "organizer_retention",
)
PAGES = ("name", "contact", "region", "look", "program", "calendar", "legal")


def ben() -> Membership:
    return builders.member(builders.organization())


def page(slug: str) -> str:
    return reverse("organizer_settings_page", args=[slug])


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.CHECK_IN, Role.VIEWER])
def test_only_owners_open_the_pages_that_change_settings(role: str) -> None:
    browser = coordinator.signed_in(builders.member(builders.organization(), role))
    shown = browser.get(reverse("organizer_settings"))
    assert shown.status_code == 200
    for address in [*map(reverse, OWNER_PAGES), *map(page, PAGES)]:
        assert browser.get(address).status_code == 403, address
        assert f'href="{address}"' not in shown.content.decode()


def test_the_hub_leads_to_every_page() -> None:
    hub = coordinator.signed_in(ben()).get(reverse("organizer_settings")).content.decode()
    # linked from the pages of members, of keys and of the audit log
    linked = {"organizer_invite_member", "organizer_create_key", "organizer_audit_csv"}
    for address in [*(reverse(name) for name in OWNER_PAGES if name not in linked), *map(page, PAGES)]:
        assert f'href="{address}"' in hub, address


def test_a_visitor_is_sent_to_sign_in() -> None:
    for address in [*map(reverse, OWNER_PAGES), *map(page, PAGES), reverse("organizer_settings")]:
        assert Client().get(address)["Location"].startswith("/accounts/login/"), address


def test_every_page_opens_and_an_unknown_one_does_not() -> None:
    browser = coordinator.signed_in(ben())
    assert {browser.get(page(slug)).status_code for slug in PAGES} == {200}
    assert browser.get(page("other")).status_code == 404


def test_a_saved_page_leaves_a_trace_without_the_values() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    typed = {"name": "Hope Foundation", "legal_name": "Hope Foundation, Inc.", "sms_name": "Hope"}
    assert browser.post(page("name"), typed)["Location"] == reverse("organizer_settings")
    organization = Organization.objects.get(pk=member.organization_id)
    assert (organization.legal_name, organization.sms_name) == ("Hope Foundation, Inc.", "Hope")
    entry = AuditEntry.objects.get(verb="changed")
    assert (entry.fields, entry.actor) == (["legal_name", "sms_name"], f"user:{member.user_id}")
    browser.post(page("name"), typed)
    assert AuditEntry.objects.filter(verb="changed").count() == 1


def test_a_phone_number_is_read_in_the_country_of_the_organization() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    typed = {"phone": "(213) 555-0100", "email": "office@example.org", "website": "example.org"}
    assert browser.post(page("contact"), typed).status_code == 302
    organization = Organization.objects.get(pk=member.organization_id)
    assert (organization.phone, organization.website) == ("+12135550100", "https://example.org")
    shown = browser.post(page("contact"), {**typed, "email": "office"})
    assert shown.status_code == 422
    assert "Enter an e-mail address" in text(shown)
    assert title(shown).startswith("Error: ")


def test_a_new_location_begins_with_the_country_and_zone_of_the_organization() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    browser.post(page("region"), {"language": "en", "country": "CA", "timezone": "America/Toronto"})
    shown = browser.get(reverse("organizer_new_site")).content.decode()
    assert '<option value="America/Toronto" selected>' in shown


def test_the_first_drive_begins_with_the_program() -> None:
    member = ben()
    browser, policy = coordinator.signed_in(member), builders.policy()
    assert browser.post(page("program"), {"program": policy.code}).status_code == 302
    plan = browser.get(reverse("organizer_new_drive")).content.decode()
    assert f'value="{policy.pk}" aria-describedby="policy-{policy.pk}" checked' in plan
    assert browser.post(page("program"), {"program": "OTHER"}).status_code == 422


@pytest.mark.parametrize(
    ("accent", "is_fine"), [("#727272", False), ("#717171", True), ("#77bb99", False), ("#1f4e5c", True)]
)
def test_a_color_needs_a_contrast_of_four_and_a_half(accent: str, is_fine: bool) -> None:
    assert (colors.compute_least_contrast(accent) >= 4.5) is is_fine
    member = ben()
    browser = coordinator.signed_in(member)
    response = browser.post(page("look"), {"accent": accent})
    assert response.status_code == (302 if is_fine else 422)
    if not is_fine:
        shade = colors.find_readable_shade(accent)
        assert f"The nearest shade that works is {shade}." in text(response)
        assert f'name="accent" value="{shade}"' in response.content.decode()
        assert browser.post(page("look"), {"accent": [accent, shade]}).status_code == 302  # as the button sends it
        assert Organization.objects.get(pk=member.organization_id).accent == shade


def test_the_nearest_shade_is_the_lightest_that_works() -> None:
    assert colors.find_readable_shade("#1f4e5c") == "#1f4e5c"
    shade = colors.find_readable_shade("#ffff00")
    assert 4.5 <= colors.compute_least_contrast(shade) < 4.8


def test_donors_read_the_legal_name_and_the_organizations_own_terms() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    browser.post(page("name"), {"name": "Hope", "legal_name": "Hope Foundation, Inc.", "sms_name": "Hope"})
    browser.post(page("legal"), {"terms_note": "Park behind the hall.", "privacy_note": "Ask our office.\n<b>Now</b>"})
    slug = member.organization.slug
    shown = text(Client().get(f"/o/{slug}/terms/"))
    assert "Hope Foundation, Inc. Park behind the hall." in shown
    assert "Reply STOP" in shown
    privacy = Client().get(f"/o/{slug}/privacy/").content.decode()
    assert "Ask our office.<br>&lt;b&gt;Now&lt;/b&gt;" in privacy
    assert f'href="/o/{slug}/terms/"' in Client().get(f"/o/{slug}/").content.decode()
    assert Client().get("/o/unknown/terms/").status_code == 404


def test_the_consents_of_donors_lead_to_the_organizations_own_terms() -> None:
    drive, browser = builders.drive(), Client()
    booking = donor.booked(browser, drive)
    assert booking.volunteer is not None
    pages = [
        f"/b/{booking.reference}/",
        reverse("waitlist_join", args=[drive.slug]),
        reverse("news", args=[drive.organization.slug]),
        f"{reverse('book', args=[drive.slug])}?visit=return&people=2&slot={builders.slot(drive).pk}",
        reverse("donor_details", args=[booking.volunteer.uuid]),
    ]
    for path in pages:
        consents = browser.get(path).content.decode().partition("<footer")[0]
        for name in ("terms", "privacy"):
            assert f'href="/o/{drive.organization.slug}/{name}/"' in consents, path
            assert f'href="/{name}/"' not in consents, path


def test_the_terms_of_an_organization_show_its_own_hours_and_months() -> None:
    hope = builders.organization(quiet_until_hour=10, quiet_from_hour=18, retention_months=7)
    assert "between 10:00 AM and 6:00 PM" in text(Client().get(f"/o/{hope.slug}/terms/"))
    assert "until 7 months after" in text(Client().get(f"/o/{hope.slug}/privacy/"))


@pytest.mark.parametrize(
    ("utc", "used"), [("2027-03-02 07:59", 3), ("2027-03-02 08:00", 0)], ids=["before midnight", "at midnight"]
)
def test_texts_are_counted_from_midnight_pacific_time(utc: str, used: int) -> None:
    member = ben()
    subject = f"organization:{member.organization.pk}"
    limits = pace.AllowanceUse(per_minute=100, per_day=2000)
    for _text in range(3):
        limits.count_message(datetime(2027, 3, 1, 20, tzinfo=UTC))
    Allowance.objects.create(subject=subject, day=limits.day, spent=limits.spent)
    with time_machine.travel(f"{utc}+00:00", tick=False):
        page = text(coordinator.signed_in(member).get(reverse("organizer_sending_settings")))
    assert f"Used today: {used} of 2000 texts" in page


def test_budgets_are_changed_and_show_what_today_has_used() -> None:
    member = ben()
    drive = builders.drive(member.organization)
    builders.held(drive)
    browser, address = coordinator.signed_in(member), reverse("organizer_sending_settings")
    assert "Used today: 0 of 2000 texts and 1 of 500 codes." in text(browser.get(address))
    typed = {
        "quiet_until_hour": "9",
        "quiet_from_hour": "20",
        "messages_per_day": "300",
        "codes_per_day": "40",
        "sms_price": "0.0118",
        "sms_currency": "USD",
    }
    assert browser.post(address, typed)["Location"] == reverse("organizer_settings")
    assert "of 300 texts and 1 of 40 codes" in text(browser.get(address))


def test_a_key_is_shown_once_and_revoked_at_once() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    typed = {"name": "Our website", "role": "viewer", "expires_on": "2027-03-31"}
    made = browser.post(reverse("organizer_create_key"), typed)
    token = made.content.decode().split('readonly value="')[1].split('"')[0]
    assert made["Cache-Control"] == "no-store"
    key = ApiKey.objects.get(organization=member.organization)
    assert (key.role, key.expires_at and key.expires_at.isoformat()) == ("viewer", "2027-04-01T00:00:00+00:00")
    shown = text(browser.get(reverse("organizer_keys")))
    assert "Our website Viewer" in shown
    assert "works until March 31, 2027" in shown
    assert "never used" in shown
    assert token not in shown
    caller = Client(headers={"Authorization": f"Bearer {token}"})
    assert caller.get("/api/v1/sites/").status_code == 200
    assert "last used March 1, 2027, 6:00 PM Coordinated Universal Time" in text(browser.get(reverse("organizer_keys")))
    browser.post(reverse("organizer_revoke_key", args=[key.pk]))
    assert caller.get("/api/v1/sites/").status_code == 401


def test_the_use_of_a_key_is_recorded_once_a_minute() -> None:
    key, _token = api_keys.issue_api_key(organization=builders.organization(), name="Website", now=NOW)
    for seconds, expected in ((0, 0), (59, 0), (60, 60)):
        fresh = ApiKey.objects.get(pk=key.pk)
        api_keys.record_use(key=fresh, now=NOW + timedelta(seconds=seconds))
        fresh.refresh_from_db()
        assert fresh.last_used_at == NOW + timedelta(seconds=expected)


def test_a_second_call_at_the_same_time_does_not_record_the_use_again() -> None:
    key, _token = api_keys.issue_api_key(organization=builders.organization(), name="Website", now=NOW)
    first, second = (ApiKey.objects.get(pk=key.pk) for _call in range(2))
    api_keys.record_use(key=first, now=NOW)
    api_keys.record_use(key=second, now=NOW + timedelta(seconds=1))
    key.refresh_from_db()
    assert key.last_used_at == NOW


def test_a_wrong_form_for_a_key_creates_none() -> None:
    browser = coordinator.signed_in(ben())
    response = browser.post(reverse("organizer_create_key"), {"name": "", "role": "owner", "expires_on": "soon"})
    assert response.status_code == 422
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("day", "is_fine"),
    [
        ("2027-02-28", False),
        ("2027-03-01", True),
        ("2037-03-01", True),
        ("2037-03-02", False),
        ("9999-12-31", False),
        ("0001-01-01", False),
    ],
)
def test_the_last_day_of_a_key_is_within_ten_years(day: str, is_fine: bool) -> None:
    typed = {"name": "Website", "role": "viewer", "expires_on": day}
    response = coordinator.signed_in(ben()).post(reverse("organizer_create_key"), typed)
    assert response.status_code == (200 if is_fine else 422)
    assert ("Enter a day between today and ten years from now." in text(response)) != is_fine
    assert ApiKey.objects.exists() == is_fine


def test_the_last_day_of_a_key_is_one_of_the_organizations_time_zone() -> None:
    member = ben()
    Organization.objects.filter(pk=member.organization_id).update(timezone="America/New_York")
    browser = coordinator.signed_in(member)
    typed = {"name": "Website", "role": "viewer", "expires_on": "2027-03-31"}
    browser.post(reverse("organizer_create_key"), typed)
    key = ApiKey.objects.get()
    assert key.expires_at
    assert key.expires_at.isoformat() == "2027-04-01T04:00:00+00:00"
    assert "works until March 31, 2027" in text(browser.get(reverse("organizer_keys")))


def test_keys_that_work_are_listed_before_revoked_ones() -> None:
    member = ben()
    for name, age in (("Old", 2), ("Revoked", 1), ("New", 0)):
        key, _token = api_keys.issue_api_key(
            organization=member.organization, name=name, now=NOW - timedelta(hours=age)
        )
        if name == "Revoked":
            api_keys.revoke_api_key(key=key, now=NOW)
    assert [row.key.name for row in queries.list_keys(member.organization, "UTC")] == ["New", "Old", "Revoked"]


def test_every_entry_of_the_audit_log_has_its_words() -> None:
    assert {name for name in find_verbs() if name not in queries.VERBS} == set()
    assert {"change_custom_text", "call.reached", "broadcast.sent", "second_step.reset", "restored"} <= find_verbs()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_filter_of_the_audit_log_offers_no_words_twice(language: str) -> None:
    with translation.override(language):
        words = [str(word) for word in queries.VERBS.values()]
    assert sorted(words) == sorted(set(words))


def find_verbs() -> set[str]:
    """Return the verbs that the code passes to the audit log as constants."""
    found: set[str] = set()
    for source in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        tree = ast.parse(source.read_text())
        functions = AUDIT_FUNCTIONS | find_audit_wrappers(tree)
        for call in list_calls(tree, functions):
            given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "verb")]
            found |= {arg.value for arg in given if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
    return found


def find_audit_wrappers(tree: ast.Module) -> set[str]:
    """Return the functions of a module that take a `verb` and pass it to the audit log."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {
        function.name
        for function in functions
        if "verb" in {argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]}
        and list_calls(function, AUDIT_FUNCTIONS)
    }


def list_calls(tree: ast.AST, functions: set[str]) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).rpartition(".")[2] in functions]


def test_the_audit_log_is_filtered_and_paged() -> None:
    member = ben()
    other = builders.member(member.organization, email="dana@example.org")
    for number in range(60):
        AuditEntry.objects.create(
            organization=member.organization,
            actor=f"user:{other.user_id}",
            verb="create_drive",
            about=f"drive:{number}",
            at=NOW - timedelta(hours=number),
        )
    browser, address = coordinator.signed_in(member), reverse("organizer_audit_log")
    first = browser.get(address)
    assert "dana@example.org Planned a drive dana@example.org · drive:0 drive:0" in text(first)
    assert "drive:50" not in text(first)
    older = first.content.decode().split('href="?below=')[1].split('"')[0]
    assert "drive:50" in text(browser.get(address, {"below": older}))
    assert "drive:30" not in text(browser.get(address, {"since": "2027-03-01"}))
    assert "drive:0 " not in text(browser.get(address, {"until": "2027-02-28"}))
    assert "No entries match." in text(browser.get(address, {"verb": "erased"}))
    assert "drive:0" in text(browser.get(address, {"actor": f"user:{other.user_id}", "verb": "create_drive"}))
    for nonsense in (
        *({"below": "x"}, {"below": "9" * 18}, {"below": "9" * 19}, {"below": "9" * 5000}, {"verb": "\x01"}),
        *({"since": "soon"}, {"since": "0001-01-01"}, {"since": "9999-12-31"}),
        *({"until": "0001-01-01"}, {"until": "9999-12-30"}, {"until": "9999-12-31"}),
    ):
        assert browser.get(address, nonsense).status_code == 200


def use_two_keys(member: Membership) -> tuple[ApiKey, ApiKey]:
    """Return an active and a revoked key. Each has planned a drive: 1 with the active key, 2 with the revoked one."""
    website, _token = api_keys.issue_api_key(organization=member.organization, name="Website", now=NOW)
    old, _token = api_keys.issue_api_key(organization=member.organization, name="Website", now=NOW)
    api_keys.revoke_api_key(key=old, actor=f"user:{member.user_id}", now=NOW)
    for number, key in ((1, website), (2, old)):
        AuditEntry.objects.create(
            organization=member.organization,
            actor=f"key:{key.pk}",
            verb="create_drive",
            about=f"drive:{number}",
            fields=["title", "day"],
            at=NOW,
        )
    return website, old


def test_the_audit_log_shows_what_a_key_did() -> None:
    member = ben()
    website, old = use_two_keys(member)
    browser, address = coordinator.signed_in(member), reverse("organizer_audit_log")
    shown = browser.get(address).content.decode()
    assert f'<option value="key:{website.pk}">Website (pd_{website.prefix}…)</option>' in shown
    assert f'<option value="key:{old.pk}">Website (pd_{old.prefix}…, revoked)</option>' in shown
    in_spanish = browser.get(address, headers={"Accept-Language": "es"}).content.decode()
    assert f">Website (pd_{old.prefix}…, revocada)</option>" in in_spanish
    for key, done, not_done in ((website, "drive:1", "drive:2"), (old, "drive:2", "drive:1")):
        of_key = text(browser.get(address, {"actor": f"key:{key.pk}"}))
        assert done in of_key
        assert not_done not in of_key
    assert f'href="{address}?actor=key:{old.pk}"' in browser.get(reverse("organizer_keys")).content.decode()


def test_the_filter_of_the_audit_log_offers_no_key_of_another_organization() -> None:
    key, _old = use_two_keys(ben())
    cleo, address = coordinator.signed_in(ben()), reverse("organizer_audit_log")
    shown = cleo.get(address, {"actor": f"key:{key.pk}"})
    assert "Website" not in text(shown)
    assert "Select a valid choice." in text(shown)


def test_the_file_of_the_audit_log_has_the_rows_of_the_filter() -> None:
    member = ben()
    Organization.objects.filter(pk=member.organization_id).update(timezone="America/Los_Angeles")
    website, _old = use_two_keys(member)
    browser, address = coordinator.signed_in(member), reverse("organizer_audit_log")
    query = f"?actor=key%3A{website.pk}&verb=create_drive"
    link = f"{reverse('organizer_audit_csv')}{query.replace('&', '&amp;')}"
    assert f'href="{link}"' in browser.get(address + query).content.decode()
    file = browser.get(reverse("organizer_audit_csv") + query)
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert file.content.decode("utf-8-sig").splitlines() == [
        "When,Who,What,About,Fields",
        '2027-03-01T10:00:00-08:00,the key “Website”,Planned a drive,drive:1,"title, day"',
    ]
    download = AuditEntry.objects.get(verb="audit_log.exported")
    assert (download.about, download.fields) == ("audit_log", ["actor", "verb"])
    everything = browser.get(reverse("organizer_audit_csv")).content.decode()
    assert all(about in everything for about in ("drive:1", "drive:2", f"key:{website.pk}"))


def test_the_file_of_the_audit_log_is_not_made_for_an_invalid_filter() -> None:
    browser = coordinator.signed_in(ben())
    shown = browser.get(reverse("organizer_audit_csv"), {"actor": "key:0"})
    assert "Select a valid choice." in text(shown)
    assert not AuditEntry.objects.filter(verb="audit_log.exported").exists()


def test_the_file_of_the_audit_log_has_a_fixed_number_of_queries() -> None:
    def act(number: int) -> query_counts.Act:
        member = ben()
        for _number in range(number):
            use_two_keys(member)
        browser = coordinator.signed_in(member)
        browser.get(reverse("organizer_audit_log"))  # stores when the member was last seen
        return lambda: browser.get(reverse("organizer_audit_csv"))

    assert query_counts.count_for_each(act) <= 16


@pytest.mark.parametrize(
    ("own", "at_site", "at", "shown"),
    [
        ("America/New_York", "America/Los_Angeles", "03/01/2027 1:00 PM", "Times are in Eastern Time."),
        ("", "America/Los_Angeles", "03/01/2027 10:00 AM", "Times are in Pacific Time."),
        ("", "", "03/01/2027 6:00 PM", "Times are in Coordinated Universal Time."),
    ],
)
def test_the_audit_log_says_in_which_zone_its_times_are(own: str, at_site: str, at: str, shown: str) -> None:
    member = builders.member(builders.organization(timezone=own))
    if at_site:
        builders.site(member.organization, at_site)
    AuditEntry.objects.create(organization=member.organization, actor="worker", verb="changed", about="drive:1", at=NOW)
    page = text(coordinator.signed_in(member).get(reverse("organizer_audit_log")))
    assert at in page
    assert shown in page
    assert ("Choose the time zone of your organization" in page) is (not own)


def test_another_organizations_entries_and_keys_are_not_found() -> None:
    member = ben()
    cleo = coordinator.signed_in(builders.member(builders.organization("Other")))
    AuditEntry.objects.create(
        organization=member.organization, actor="worker", verb="create_drive", about="drive:77", at=NOW
    )
    key = ApiKey.objects.create(organization=member.organization, name="Website", prefix="abcd", created_at=NOW)
    assert "drive:77" not in text(cleo.get(reverse("organizer_audit_log")))
    assert cleo.post(reverse("organizer_revoke_key", args=[key.pk])).status_code == 404


@pytest.mark.parametrize(
    "name", ["organizer_settings", "organizer_members", "organizer_keys", "organizer_audit_log", "organizer_setup"]
)
def test_the_pages_have_a_fixed_number_of_queries(name: str) -> None:
    def act(number: int) -> query_counts.Act:
        member = ben()
        for n in range(number):
            builders.member(member.organization, email=f"m{member.pk}-{n}@example.org")
            AuditEntry.objects.create(
                organization=member.organization, actor="worker", verb="changed", about=f"drive:{n}", at=NOW
            )
            prefix = f"k{member.pk}x{n}"
            ApiKey.objects.create(organization=member.organization, name="Key", prefix=prefix, created_at=NOW)
        browser = coordinator.signed_in(member)
        browser.get(reverse(name))  # stores when the member was last seen
        return lambda: browser.get(reverse(name))

    assert query_counts.count_for_each(act) <= 14
