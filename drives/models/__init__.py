from drives.models.booking import (
    ACTIVE_STATES,
    EXPECTED_STATES,
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
from drives.models.checklist import ChecklistCheck, ChecklistItem, ChecklistTick
from drives.models.conversation import Conversation, ConversationText
from drives.models.counter_audit import CounterAudit
from drives.models.data_import import OPEN_STATES, RUNNING_STATES, Import, ImportRow, ImportState, RowResult
from drives.models.drive import PLAN_FIELDS, Drive, DriveState
from drives.models.message_schedule import CustomText, InvitationCheck, ScheduleEntry
from drives.models.policy import DonationKind, Policy
from drives.models.self_reported import SelfReportedDonation
from drives.models.share import ShareLink
from drives.models.site import CollectionCenter, Site
from drives.models.slot import Slot
from drives.models.turnout import Turnout
from drives.models.waitlist import (
    WAITLISTED_STATES,
    Offer,
    OfferCheck,
    OfferState,
    ReservedSpot,
    WaitlistEntry,
    WaitlistEntryState,
)

__all__ = [
    "ACTIVE_STATES",
    "EXPECTED_STATES",
    "OPEN_STATES",
    "OUTCOMES",
    "PLAN_FIELDS",
    "RUNNING_STATES",
    "WAITLISTED_STATES",
    "WITH_DRIVE",
    "Booking",
    "BookingChange",
    "BookingState",
    "Broadcast",
    "BroadcastKind",
    "Call",
    "CancelledBy",
    "ChecklistCheck",
    "ChecklistItem",
    "ChecklistTick",
    "CollectionCenter",
    "Conversation",
    "ConversationText",
    "CounterAudit",
    "CustomText",
    "DonationKind",
    "Drive",
    "DriveState",
    "Import",
    "ImportRow",
    "ImportState",
    "InvitationCheck",
    "Offer",
    "OfferCheck",
    "OfferState",
    "Policy",
    "ReservedSpot",
    "RowResult",
    "ScheduleEntry",
    "SelfReportedDonation",
    "ShareLink",
    "Site",
    "Slot",
    "Source",
    "Turnout",
    "Visit",
    "WaitlistEntry",
    "WaitlistEntryState",
]
