from drives.models.booking import (
    ACTIVE,
    EXPECTED,
    OUTCOMES,
    WITH_DRIVE,
    Booking,
    BookingChange,
    BookingState,
    CancelledBy,
    Source,
    Visit,
)
from drives.models.broadcast import Broadcast, BroadcastKind
from drives.models.call import Call
from drives.models.conversation import Conversation, ConversationText
from drives.models.drive import PLAN_FIELDS, Drive, DriveState
from drives.models.message_plan import OwnText, PlanLine
from drives.models.policy import DonationKind, Policy
from drives.models.site import Collector, Site
from drives.models.slot import Slot
from drives.models.stated import StatedDonation
from drives.models.turnout import Turnout
from drives.models.waiting import IN_LINE, Hold, Offer, OfferState, WaitingEntry, WaitingState

__all__ = [
    "ACTIVE",
    "EXPECTED",
    "IN_LINE",
    "OUTCOMES",
    "PLAN_FIELDS",
    "WITH_DRIVE",
    "Booking",
    "BookingChange",
    "BookingState",
    "Broadcast",
    "BroadcastKind",
    "Call",
    "CancelledBy",
    "Collector",
    "Conversation",
    "ConversationText",
    "DonationKind",
    "Drive",
    "DriveState",
    "Hold",
    "Offer",
    "OfferState",
    "OwnText",
    "PlanLine",
    "Policy",
    "Site",
    "Slot",
    "Source",
    "StatedDonation",
    "Turnout",
    "Visit",
    "WaitingEntry",
    "WaitingState",
]
