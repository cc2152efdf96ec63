"""The list of erasures outside of the database. After a restore, the people on the list are erased again."""

import json
import logging
import os
import re
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)

_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def record_erasure(*, volunteer: uuid.UUID, organization_id: int, now: datetime) -> None:
    """Append a line to ERASURES_FILE and to the log.

    The line contains the volunteer's UUID, which identifies a person only in an older copy of the database. If the
    erasure fails afterward, the line stays. It does no harm, because the erasure was requested.
    """
    fields = {"volunteer": str(volunteer), "organization": organization_id}
    log.info("erased", extra={"fields": fields})
    if not settings.ERASURES_FILE:
        return
    line = json.dumps({"at": now.isoformat(), "message": "erased", **fields}) + "\n"
    path = Path(settings.ERASURES_FILE)
    try:
        is_new = not path.exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if is_new and os.geteuid() == 0:  # a command runs as root, but the service must be able to write, too
                os.fchown(descriptor, path.parent.stat().st_uid, path.parent.stat().st_gid)
            os.write(descriptor, line.encode())  # a single write, so that two processes do not mix their lines
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        log.error("ERASURES_FILE cannot be written: %s", error.strerror)


def read_erasures(lines: Iterable[str]) -> set[str]:
    """Return the UUIDs of erased volunteers. Other lines, for example from a log, are skipped."""
    return {number for line in lines if '"erased"' in line for number in _UUID.findall(line)}
