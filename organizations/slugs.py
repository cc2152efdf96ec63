"""Choose a slug for a page's URL that no other row of the model has."""

from django.db.models import Model

from organizations import text_locks


def choose_free_slug(model: type[Model], preferred: str) -> str:
    """Return the preferred slug, with a number added if it is taken. Other callers wait until the transaction ends."""
    text_locks.lock_text(f"slug {model._meta.label}")
    rows = model._default_manager.filter(slug__startswith=preferred)
    taken = set(rows.values_list("slug", flat=True))
    numbered = (f"{preferred}-{number}" for number in range(2, len(taken) + 3))
    return preferred if preferred not in taken else next(slug for slug in numbered if slug not in taken)
