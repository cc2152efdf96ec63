from datetime import timedelta

import pytest

from organizations import api_keys
from organizations import queries as organizations_queries
from organizations.api_keys import ApiKeyTokenMalformed
from organizations.models import ApiKey, AuditEntry, Role
from tests import builders
from tests.builders import NOW

pytestmark = pytest.mark.django_db


def test_a_key_opens_with_its_token_and_is_kept_as_a_hash() -> None:
    hope = builders.organization()
    key, token = api_keys.issue_api_key(organization=hope, name="Website", role=Role.VIEWER, now=NOW)
    assert organizations_queries.find_api_key(f"Bearer {token}", NOW) == key
    assert token.split("_", 2)[-1] not in str(ApiKey.objects.values().get())
    assert [entry.about for entry in AuditEntry.objects.all()] == [f"key:{key.pk}"]


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "x", lambda t: t.swapcase(), lambda _: "", lambda _: "pd_"]
)
def test_a_changed_token_opens_nothing(change: object) -> None:
    _key, token = api_keys.issue_api_key(organization=builders.organization(), name="Website", now=NOW)
    assert organizations_queries.find_api_key(f"Bearer {change(token)}", NOW) is None  # type: ignore[operator]


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc", "Bearer pd_a\x00_b", "Bearer pd_x_y", "pd_x_y"])
def test_a_header_without_a_known_key_opens_nothing(header: str) -> None:
    assert organizations_queries.find_api_key(header, NOW) is None


def test_a_key_ends_when_it_expires_or_is_revoked() -> None:
    hope = builders.organization()
    short, token = api_keys.issue_api_key(organization=hope, name="Short", now=NOW, expires_at=NOW + timedelta(days=1))
    assert organizations_queries.find_api_key(f"Bearer {token}", NOW + timedelta(hours=23)) == short
    assert organizations_queries.find_api_key(f"Bearer {token}", NOW + timedelta(days=1)) is None
    api_keys.revoke_api_key(key=short, now=NOW)
    api_keys.revoke_api_key(key=short, now=NOW + timedelta(hours=1))
    assert organizations_queries.find_api_key(f"Bearer {token}", NOW) is None
    assert ApiKey.objects.get().revoked_at == NOW


def test_a_token_may_be_given_and_must_be_strong() -> None:
    hope = builders.organization()
    token = "pd_demo_" + "a1B2" * 6
    key, shown = api_keys.issue_api_key(organization=hope, name="Demo", now=NOW, token=token)
    assert (shown, organizations_queries.find_api_key(f"bearer {token}", NOW)) == (token, key)
    with pytest.raises(ApiKeyTokenMalformed):
        api_keys.issue_api_key(organization=hope, name="Weak", now=NOW, token="pd_demo_short")


@pytest.mark.parametrize(
    ("prefix", "secret", "is_fine"),
    [(4, 22, True), (12, 80, True), (3, 22, False), (13, 22, False), (4, 21, False), (4, 81, False)],
)
def test_a_given_token_has_a_prefix_of_4_to_12_and_a_secret_of_22_to_80(
    prefix: int, secret: int, is_fine: bool
) -> None:
    hope, token = builders.organization(), f"pd_{'a' * prefix}_{'b' * secret}"
    if is_fine:
        assert api_keys.issue_api_key(organization=hope, name="Demo", now=NOW, token=token)[1] == token
    else:
        with pytest.raises(ApiKeyTokenMalformed):
            api_keys.issue_api_key(organization=hope, name="Demo", now=NOW, token=token)


def test_a_key_opens_until_the_moment_at_which_it_expires() -> None:
    ends = NOW + timedelta(days=1)
    key, token = api_keys.issue_api_key(organization=builders.organization(), name="Short", now=NOW, expires_at=ends)
    assert organizations_queries.find_api_key(f"Bearer {token}", ends - timedelta(seconds=1)) == key
    assert organizations_queries.find_api_key(f"Bearer {token}", ends) is None
