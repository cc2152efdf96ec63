"""Name the rows of the cache that all processes share."""

from django.utils.crypto import salted_hmac


def build_cache_key(key: str, key_prefix: str, version: int) -> str:
    """Hide the user, the network address and the code that a sign-in key contains."""
    return salted_hmac("config.shared_cache", f"{key_prefix}:{version}:{key}", algorithm="sha256").hexdigest()
