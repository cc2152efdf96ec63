"""Say loudly when messages do not leave or arrive as they should."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from notifications.models import Heartbeat
from notifications.queries import Trouble

NAME = "watch"
AT_MOST_EVERY = timedelta(seconds=50)  # beat comes every minute, and two beats come twice

logger = logging.getLogger(__name__)


@transaction.atomic(savepoint=False)
def report(*, troubles: Sequence[Trouble], now: datetime) -> dict[str, int]:
    """One line in the log for each kind of trouble, once a minute at most; return how many organizations have which."""
    found: dict[str, list[Trouble]] = defaultdict(list)
    for trouble in troubles:
        found[trouble.code].append(trouble)
    if found and _is_turn(now):
        for code, those in found.items():
            level = logging.ERROR if code == "sender_stopped" else logging.WARNING
            worst = max(one.figure for one in those)
            fields = {"organizations": ",".join(str(one.organization_id) for one in those[:20]), "figure": worst}
            logger.log(level, "messages in trouble: %s", code, extra={"fields": fields})
    return {code: len(those) for code, those in found.items()}


def _is_turn(now: datetime) -> bool:
    """Whether nobody has said so in the last minute; the next one who asks hears no."""
    signs = Heartbeat.objects.filter(name=NAME)
    if signs.filter(seen_at__lte=now - AT_MOST_EVERY).update(seen_at=now):
        return True
    _sign, is_first = Heartbeat.objects.get_or_create(name=NAME, defaults={"seen_at": now})
    return is_first
