from volunteers.models.limit import LimitCounter
from volunteers.models.proof import ProofCode, ProvedBrowser
from volunteers.models.registration import Registration
from volunteers.models.volunteer import Contact, ContactKind, Volunteer

__all__ = [
    "Contact",
    "ContactKind",
    "LimitCounter",
    "ProofCode",
    "ProvedBrowser",
    "Registration",
    "Volunteer",
]
