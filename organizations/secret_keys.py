"""Encrypt strings and compute keyed hashes with SECRET_KEY and its fallbacks. Compute fingerprints of keys."""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def list_keys() -> list[str]:
    """List SECRET_KEY and the earlier keys that are still accepted."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def seal(text: str) -> str:
    return _build_ciphers((settings.SECRET_KEY,)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str | None:
    """Decrypt a string that was encrypted by `seal`. Return None if no key can decrypt it."""
    return _unseal(sealed, tuple(list_keys()))


def is_sealed_with_current_key(sealed: str) -> bool:
    try:
        _build_ciphers((settings.SECRET_KEY,)).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def compute_hash(text: str, key: str = "") -> str:
    return hmac.digest((key or settings.SECRET_KEY).encode(), text.encode(), "sha256").hex()


def list_hashes(text: str) -> list[str]:
    """List the hashes of a string with SECRET_KEY and with each earlier key."""
    return [compute_hash(text, key) for key in list_keys()]


def compute_fingerprint(key: str) -> str:
    """Return a string that identifies the key without revealing it."""
    return compute_hash("fingerprint", key)[:16]


@lru_cache(maxsize=256)  # a booking's answer, message and page need its link several times
def _unseal(sealed: str, keys: tuple[str, ...]) -> str | None:
    try:
        return _build_ciphers(keys).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


@lru_cache(maxsize=8)
def _build_ciphers(keys: tuple[str, ...]) -> MultiFernet:
    ciphers = (hashlib.sha256(b"link seal:" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in ciphers])
