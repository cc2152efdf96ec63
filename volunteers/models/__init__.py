from volunteers.models.limit import LimitCounter
from volunteers.models.registration import Registration
from volunteers.models.verification_code import VerificationCode, VerifiedBrowser
from volunteers.models.volunteer import Contact, ContactKind, Volunteer

__all__ = [
    "Contact",
    "ContactKind",
    "LimitCounter",
    "Registration",
    "VerificationCode",
    "VerifiedBrowser",
    "Volunteer",
]
