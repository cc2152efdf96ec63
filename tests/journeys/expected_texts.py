"""The exact texts that donors read on their phones."""


def booked(link: str, when: str = "Sat Mar 13, 10:30 AM") -> str:
    return f"Hope Foundation: You're booked {when}, St Mary Hall. Change or cancel: {link} STOP to end"


def days_before(when: str = "Sat Mar 13 10:30 AM") -> str:
    return f"Hope Foundation: Reminder: {when}, St Mary Hall. Reply C to confirm, X to cancel. STOP to end"


def the_day_before(when: str = "Sat Mar 13 10:30 AM") -> str:
    begins = f"Hope Foundation: Reminder: tomorrow, {when}, St Mary Hall."
    return f"{begins} Bring photo ID. Reply C to confirm, X to cancel. STOP to end"


def moved(link: str, when: str = "Sat Mar 13 12:00 PM", was: str = "10:30 AM") -> str:
    return f"Hope Foundation: New time {when}, St Mary Hall (was {was}). {link} STOP to end"


def cancelled(link: str, when: str = "Sat Mar 13 10:30 AM") -> str:
    return f"Hope Foundation: Cancelled: {when}, St Mary Hall. Undo or rebook: {link} STOP to end"


def drive_cancelled(link: str) -> str:
    return f"Hope Foundation: Don't come. The drive on Sat Mar 13, St Mary Hall, is cancelled. {link} STOP to end"


def thanks(link: str) -> str:
    return f"Hope Foundation: Thank you for your donation! See when you can come again: {link} STOP to end"


def thanks_for_coming(link: str) -> str:
    return f"Hope Foundation: Thank you for coming! See our next dates: {link} STOP to end"


def missed(link: str) -> str:
    return f"Hope Foundation: We missed you. Can you come another time? {link} STOP to end"


def booked_in_spanish(link: str) -> str:
    begins = "Hope Foundation: Su cita: sab 13 mar 10:30 AM, St Mary Hall."
    return f"{begins} Cambie o cancele: {link} STOP para salir"


def days_before_in_spanish() -> str:
    begins = "Hope Foundation: Recuerde su cita: sab 13 mar 10:30 AM, St Mary Hall."
    return f"{begins} Responda C para confirmar, X para cancelar. STOP para salir"


def the_day_before_in_spanish() -> str:
    begins = "Hope Foundation: Recuerde su cita: mañana sab 13 mar 10:30 AM, St Mary Hall."
    return f"{begins} Traiga ID con foto. C para confirmar, X para cancelar. STOP para salir"
