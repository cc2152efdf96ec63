"""Find the bookings and offers in our "C or X?" texts to a number, and match replies with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from drives.booking import rules as booking_rules
from drives.booking.rules import Act
from drives.domain import reply_parser
from drives.domain.reply_parser import ReplyCommand
from drives.messaging import shared_contacts
from drives.models import EXPECTED_STATES, WITH_DRIVE, Booking, Drive, Offer, OfferState
from notifications import queries as notifications_queries
from notifications import reply_text
from notifications.models import InboundMessage, Message
from volunteers.models import Volunteer

_ACTS = {ReplyCommand.CONFIRM: Act.CONFIRM, ReplyCommand.CANCEL: Act.CANCEL}


@dataclass(frozen=True)
class Question:
    """A booking or an open offer in a "C or X?" text. For an accepted offer, this is the booking."""

    booking: Booking | None
    offer: Offer | None = None

    @property
    def subject(self) -> Booking | Offer:
        subject = self.booking or self.offer
        assert subject is not None
        return subject

    @property
    def about(self) -> str:
        return self.subject.about

    @property
    def revision(self) -> int:
        return self.booking.revision if self.booking else 0

    @property
    def starts_at(self) -> datetime:
        return self.subject.starts_at

    @property
    def drive(self) -> Drive:
        return self.booking.drive if self.booking else self.subject.entry.drive  # type: ignore[union-attr]

    @property
    def volunteer(self) -> Volunteer | None:
        return self.booking.volunteer if self.booking else self.subject.entry.volunteer  # type: ignore[union-attr]

    @property
    def first_name(self) -> str:
        words = self.volunteer.name.split() if self.volunteer else []
        return words[0] if words else ""

    @property
    def language(self) -> str:
        return self.volunteer.language if self.volunteer else "en"

    def is_open(self, command: ReplyCommand, now: datetime) -> bool:
        """Return whether the donor may still answer with this command."""
        if self.booking:
            return not booking_rules.reasons_not_to_take_step(_ACTS[command], self.booking, "donor", now)
        return self.offer is not None and self.offer.state == OfferState.OPEN and self.offer.deadline > now

    def has_moved_since(self, revision: int) -> bool:
        return self.booking is not None and self.booking.state in EXPECTED_STATES and self.revision != revision


def list_questions(reply: InboundMessage, now: datetime) -> list[Question]:
    """List the upcoming visits and offers that our open questions to this number are about, earliest arrival first."""
    prompts = notifications_queries.list_prompts(reply, now)
    abouts = {prompt.about for prompt in prompts}
    for prompt in prompts:
        abouts.update(row.about for row in _list_companions(prompt))
    found = load_questions(abouts)
    return sorted((one for one in found if one.starts_at > now), key=lambda one: (one.starts_at, one.about))


def load_questions(abouts: set[str]) -> list[Question]:
    offer_ids, booking_ids = _list_ids(abouts, "offer:"), _list_ids(abouts, "booking:")
    offers = Offer.objects.filter(pk__in=offer_ids).select_related(*(f"entry__{name}" for name in WITH_DRIVE))
    pending = [offer for offer in offers if offer.booking_id is None]
    booking_ids |= {offer.booking_id for offer in offers if offer.booking_id is not None}
    bookings = Booking.objects.filter(pk__in=booking_ids).select_related(*WITH_DRIVE)
    return [*map(Question, bookings), *(Question(None, offer) for offer in pending)]


def asks_about_all(prompt: Message, questions: Sequence[Question]) -> bool:
    """Return whether the text `prompt` asked about all of these bookings and offers."""
    named = {row.about for row in _list_companions(prompt)} | {prompt.about}
    return all(one.about in named for one in questions)


def filter_chosen(numbered: dict[int, Question], choice: str) -> list[Question]:
    """Return the questions that the donor chose with "2", "all", "ana" or the local time "10 30 am".

    `numbered` maps the numbers in the text to questions. Returns an empty list if a name or time fits several
    questions.
    """
    if choice == reply_parser.ALL_BOOKINGS:
        return list(numbered.values())
    if choice.isdecimal() and int(choice) in numbered:
        return [numbered[int(choice)]]
    named = [one for one in numbered.values() if reply_text.normalize_words(one.first_name) == choice]
    if not named and (times := reply_parser.list_clock_times(choice)):
        named = [one for one in numbered.values() if _get_clock_time(one) in times]
    return named if len(named) == 1 else []


def _get_clock_time(question: Question) -> tuple[int, int]:
    local = question.starts_at.astimezone(question.drive.site.zone)
    return local.hour, local.minute


def _list_companions(prompt: Message) -> list[Booking]:
    is_booking = prompt.about.startswith("booking:")
    return shared_contacts.list_other_bookings_of_text(prompt) if is_booking else []


def _list_ids(abouts: set[str], prefix: str) -> set[int]:
    return {int(about.removeprefix(prefix)) for about in abouts if about.startswith(prefix)}
