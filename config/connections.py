"""Connections that a thread keeps from one request to the next."""

import select

import psycopg
from django.db import connections


def close_lost_connections(**_signal: object) -> None:
    """Close the connections that the server has closed: the request gets a new one instead of an error.

    A server with nothing to answer speaks only to end the connection, so it is lost when something can be read from
    it. Django's CONN_HEALTH_CHECKS asks the server in each request, a tenth of the time of a short one.
    """
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and _is_lost(connection.connection):
            connection.close()


def _is_lost(connection: psycopg.Connection[object]) -> bool:
    if connection.closed:
        return True
    poller = select.poll()
    poller.register(connection, select.POLLIN)
    return bool(poller.poll(0))
