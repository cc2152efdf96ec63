"""Say loudly when messages do not leave or arrive as they should."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from notifications.models import Heartbeat
from notifications.queries import DeliveryProblem

HEARTBEAT_NAME = "watch"
LOG_INTERVAL = timedelta(seconds=50)  # beat comes every minute, and two beats come twice

logger = logging.getLogger(__name__)


@transaction.atomic(savepoint=False)
def log_delivery_problems(*, problems: Sequence[DeliveryProblem], now: datetime) -> dict[str, int]:
    """One line in the log for each kind of trouble, once a minute at most; return how many organizations have which."""
    found: dict[str, list[DeliveryProblem]] = defaultdict(list)
    for trouble in problems:
        found[trouble.code].append(trouble)
    if found and _take_turn(now):
        for code, those in found.items():
            level = logging.ERROR if code == "sender_stopped" else logging.WARNING
            worst = max(one.figure for one in those)
            fields = {"organizations": ",".join(str(one.organization_id) for one in those[:20]), "figure": worst}
            logger.log(level, "message alert: %s", code, extra={"fields": fields})
    return {code: len(those) for code, those in found.items()}


def _take_turn(now: datetime) -> bool:
    """Whether nobody has said so in the last minute; the next one who asks hears no."""
    signs = Heartbeat.objects.filter(name=HEARTBEAT_NAME)
    if signs.filter(seen_at__lte=now - LOG_INTERVAL).update(seen_at=now):
        return True
    _sign, is_first = Heartbeat.objects.get_or_create(name=HEARTBEAT_NAME, defaults={"seen_at": now})
    return is_first
