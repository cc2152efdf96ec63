"""Log an alert when messages are not sent or not delivered."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from notifications.models import Heartbeat
from notifications.queries import DeliveryProblem
from notifications.stuck_messages import Blockage

HEARTBEAT_NAME = "watch"
LOG_INTERVAL = timedelta(seconds=50)  # beat runs every minute; with two beats, the job runs twice

logger = logging.getLogger(__name__)


@transaction.atomic(savepoint=False)
def log_delivery_problems(
    *,
    problems: Sequence[DeliveryProblem],
    blockages: Sequence[Blockage] = (),
    parked: Mapping[str, int] | None = None,
    now: datetime,
) -> dict[str, int]:
    """Log each kind of problem, each blockage and each sweep with parked rows, at most once per `LOG_INTERVAL`.

    Return the number of organizations by kind of problem.
    """
    by_code: dict[str, list[DeliveryProblem]] = defaultdict(list)
    for problem in problems:
        by_code[problem.code].append(problem)
    if (by_code or blockages or parked) and _take_turn(now):
        for blockage in blockages:
            logger.log(_choose_level(blockage.code), "%s", blockage.sentence)
        for sweep, count in (parked or {}).items():
            logger.warning("sweep alert: %s", sweep, extra={"fields": {"parked": count}})
        for code, same_code in by_code.items():
            worst = max(one.figure for one in same_code)
            fields = {"organizations": ",".join(str(one.organization_id) for one in same_code[:20]), "figure": worst}
            logger.log(_choose_level(code), "message alert: %s", code, extra={"fields": fields})
    return {code: len(same_code) for code, same_code in by_code.items()}


def _choose_level(code: str) -> int:
    return logging.ERROR if code == "sender_stopped" else logging.WARNING


def _take_turn(now: datetime) -> bool:
    # The UPDATE succeeds for only one worker per LOG_INTERVAL.
    heartbeats = Heartbeat.objects.filter(name=HEARTBEAT_NAME)
    if heartbeats.filter(seen_at__lte=now - LOG_INTERVAL).update(seen_at=now):
        return True
    _heartbeat, is_first = Heartbeat.objects.get_or_create(name=HEARTBEAT_NAME, defaults={"seen_at": now})
    return is_first
