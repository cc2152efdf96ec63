"""The engine that settings name; Django looks for it in a module `base`."""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks the server whether a pooled connection still works only where there is a sign that it may not."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> "Connection[Any]":
        """A connection from the pool, or a new one; those that the server closed are given back to be replaced."""
        connection: Connection[Any] = super().get_new_connection(conn_params)
        while self.pool and not works(connection):
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def works(connection: "Connection[Any]") -> bool:
    """Whether a connection that is idle can be used.

    A server that goes away closes it, which makes its socket readable; while there is nothing to read it is taken as it
    is. A question to the server before every request would cost a tenth of a look at the open times.
    """
    if connection.closed:
        return False
    sockets = select.poll()
    sockets.register(connection.fileno(), select.POLLIN)
    if not sockets.poll(0):
        return True
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        return False
    return True
