"""Whether two names that were typed can mean one person. Pure.

Nobody types their own name the same way twice: case, accents, order, initials, a second name left out, one slip of
the finger. Who shares a phone has another first name.
"""

import re
import unicodedata
from collections.abc import Callable

_SLIP_FROM = 4  # letters; a shorter word with another letter is another word
Means = Callable[[str, str], bool]
_GENERATIONS = frozenset({"jr", "sr", "ii", "iii", "iv", "junior", "senior", "hijo", "padre"})


def same(one: str, other: str) -> bool:
    """The same words, whatever their order, case, accents and punctuation."""
    return sorted(_words(one)) == sorted(_words(other))


def short_form(one: str, other: str) -> bool:
    """One of the names is the other with words left out or cut to initials: "A. Alder" for "Ana María Alder"."""
    return _covered(one, other, _is_initial_of)


def alike(one: str, other: str) -> bool:
    """As `short_form`, and with a slip of the finger in a longer word forgiven: "Anna Adler" for "Ana Alder"."""
    return _covered(one, other, lambda short, long: _is_initial_of(short, long) or _is_slip_of(short, long))


def _covered(one: str, other: str, means: Means) -> bool:
    short, long = sorted((_words(one), _words(other)), key=len)
    if _GENERATIONS & set(short) != _GENERATIONS & set(long):
        return False
    return bool(short) and _each_has_its_own(short, long, means)


def _each_has_its_own(short: list[str], long: list[str], means: Means) -> bool:
    """Whether each word of the shorter name can stand for a word of its own of the longer one."""
    taken: dict[int, int] = {}

    def finds_one(word: int, tried: set[int]) -> bool:
        for at in range(len(long)):
            if at not in tried and means(short[word], long[at]):
                tried.add(at)
                if at not in taken or finds_one(taken[at], tried):
                    taken[at] = word
                    return True
        return False

    return all(finds_one(word, set()) for word in range(len(short)))


def _is_initial_of(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])


def _is_slip_of(one: str, other: str) -> bool:
    """One letter too many, too few, another, or two that changed places."""
    short, long = sorted((one, other), key=len)
    if len(short) < _SLIP_FROM - 1 or len(long) < _SLIP_FROM or len(long) - len(short) > 1:
        return False
    at = next((n for n, letter in enumerate(short) if letter != long[n]), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[:at] + short[at : at + 2][::-1] + short[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped == long


def _words(name: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", name.casefold())
    seen = "".join(one for one in folded if not unicodedata.combining(one) and one not in "'’")
    return re.findall(r"[^\W_]+", seen)
