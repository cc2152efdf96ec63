"""Send messages through a provider that fails at random, while the clock may jump."""

import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from django.utils import timezone

from notifications import claim, delivery, outbox, reconciliation
from notifications.models import Message, MessageState
from organizations.models import Organization
from tests import builders
from tests.faults import seeded
from tests.notifications import made
from tests.standins.twilio import TwilioStandIn

FAULTS = ("500", "503", "429", "reset", "accepted-500", "accepted-reset", "accepted-cut", "accepted-not-json")
SHARE = 0.3
OPEN = [MessageState.QUEUED, MessageState.CLAIMED, MessageState.SENDING, MessageState.IN_DOUBT]
_numbers = count(1)


@dataclass
class Count:
    messages: int
    faults: int
    lost: int
    doubled: int
    too_late: int
    took: timedelta  # on the workers' clock


@dataclass
class FaultRun:
    """Messages that are sent through a provider with random faults.

    `jumps` are the errors of the clock in the first rounds. After these rounds, the clock is correct.
    """

    twilio: TwilioStandIn
    chance: random.Random
    jumps: Sequence[timedelta] = ()
    organization: Organization = field(default_factory=lambda: builders.organization(messages_per_day=0))
    began: datetime = field(default_factory=timezone.now)
    texts: dict[str, datetime] = field(default_factory=dict)
    too_late: int = 0
    took: timedelta = timedelta()

    def queue(self, number: int, useful_for: timedelta = timedelta(days=1)) -> None:
        fields = {"due_at": self.began, "expires_at": self.began + useful_for}
        notices = [
            made.message(f"Message {n}", address=f"+1213{n:07}", about=f"message:{n}", **fields)
            for n in (next(_numbers) for _each in range(number))
        ]
        outbox.queue_messages(organization=self.organization, messages=notices, now=self.began)
        self.texts |= {notice.content.text: notice.envelope.expires_at for notice in notices}

    def run_sweeps(self, *, hangs: int = 0, looks_up: bool = True) -> None:
        """Run the sweeps until no message is open, for 300 rounds at most.

        The first `hangs` calls to the provider (at most two) hang at the same time and time out after ten seconds. With
        `looks_up=False`, a seeded bug sends again without asking the provider.
        """
        self._plan(len(self.texts), ["hang", "accepted-hang"][:hangs])
        with contextlib.nullcontext() if looks_up else seeded.no_look_up():
            for round_ in range(300):
                error = self.jumps[round_] if round_ < len(self.jumps) else timedelta()
                self.took = timedelta(seconds=30 * round_)
                self._sweep(self.began + self.took + error)
                if round_ >= len(self.jumps) and not Message.objects.filter(state__in=OPEN).exists():
                    return

    def count(self) -> Count:
        taken = Counter(kept.fields["Body"] for kept in self.twilio.accepted)
        return Count(
            messages=len(self.texts),
            faults=self.twilio.faults,
            lost=sum(taken[text] == 0 for text in self.texts),
            doubled=sum(times > 1 for times in taken.values()),
            too_late=self.too_late,
            took=self.took,
        )

    def _sweep(self, at: datetime) -> None:
        before = len(self.twilio.accepted)
        for seconds in (0, 10, 20):
            moment = at + timedelta(seconds=seconds)
            delivery.deliver_messages(clock=lambda moment=moment: moment, chance=self.chance.random, seconds=60)  # type: ignore[misc]
        self.too_late += sum(self.texts[kept.fields["Body"]] <= at for kept in self.twilio.accepted[before:])
        self._let_worker_die(at)
        reconciliation.reconcile_messages(now=at + timedelta(seconds=25))
        self._plan(20)

    def _let_worker_die(self, at: datetime) -> None:
        """Let a worker claim a message and die, if the clock is wrong now."""
        if self.jumps and at != self.began + self.took:
            claim.admit_messages(claimed=claim.claim_messages(channel="sms", limit=1, now=at), now=at)

    def _plan(self, calls: int, first: Sequence[str] = ()) -> None:
        drawn = [
            self.chance.choice(FAULTS) if self.chance.random() < SHARE else "ok" for _call in range(calls - len(first))
        ]
        self.twilio.plan([*first, *drawn])
