"""Fingerprints of the keys in use, stored in the database so that a process with a wrong key does not start."""

from django.conf import settings
from django.db import transaction

from organizations import secret_keys
from organizations.models import KeyFingerprint

IDENTITY, SECRET = "IDENTITY_KEY", "SECRET_KEY"


@transaction.atomic
def record_keys() -> None:
    """Record the keys in use. A recorded IDENTITY_KEY is never replaced."""
    used = [(IDENTITY, settings.IDENTITY_KEY), (SECRET, settings.SECRET_KEY)]
    rows = [KeyFingerprint(name=name, fingerprint=secret_keys.compute_fingerprint(key)) for name, key in used]
    KeyFingerprint.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def keep_only_current_secret_key() -> None:
    """Forget earlier SECRET_KEYs. Call this when no link is sealed with them anymore."""
    record_keys()
    current = secret_keys.compute_fingerprint(settings.SECRET_KEY)
    KeyFingerprint.objects.filter(name=SECRET).exclude(fingerprint=current).delete()


def list_key_problems() -> list[str]:
    """Compare the configured keys with the recorded ones. Return the problems as sentences. One query."""
    recorded = set(KeyFingerprint.objects.values_list("name", "fingerprint"))
    known = {(IDENTITY, secret_keys.compute_fingerprint(settings.IDENTITY_KEY))}
    known |= {(SECRET, secret_keys.compute_fingerprint(key)) for key in secret_keys.list_keys()}
    names = {name for name, _fingerprint in recorded - known}
    problems = {
        IDENTITY: "IDENTITY_KEY is not the key of this database. Set the key that it was created with. With another"
        " key, the service recognizes no donor.",
        SECRET: "Links are encrypted with an earlier SECRET_KEY. Add that key to SECRET_KEY_FALLBACKS and run"
        " `manage.py reseal_links`. If it is lost, run `manage.py revoke_links --all`.",
    }
    return [problem for name, problem in problems.items() if name in names]
