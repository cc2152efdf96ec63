"""The test run uses real servers and cannot reach other machines."""

import socket

import pytest
import redis
from django.db import connection

from tests.conftest import LiveNetworkError


@pytest.mark.django_db
def test_the_database_is_the_promised_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = current_database()")
        assert cursor.fetchone() == ("b", "C.UTF-8")


@pytest.mark.needs_redis
def test_redis_is_real_and_evicts_nothing(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_another_machine_cannot_be_reached() -> None:
    with pytest.raises(LiveNetworkError), socket.socket() as probe:
        probe.connect(("192.0.2.1", 80))
    with pytest.raises(LiveNetworkError):
        socket.getaddrinfo("example.org", 443)
