"""Build the keys of the cache that all processes share."""

from django.utils.crypto import salted_hmac


def build_cache_key(key: str, key_prefix: str, version: int) -> str:
    """Hash the key, because keys of sign-in limits contain a user, an IP address or a code."""
    return salted_hmac("config.shared_cache", f"{key_prefix}:{version}:{key}", algorithm="sha256").hexdigest()
