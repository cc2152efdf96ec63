"""Compare typed names of people. No database.

Names match even if they differ in case, accents, word order, initials, second names or a typo. People with the same
phone are told apart by their first names.
"""

import unicodedata
from collections.abc import Callable

_TYPO_MIN_LETTERS = 4  # in a shorter word, one different letter makes a different name
WordMatcher = Callable[[str, str], bool]
_GENERATIONS = frozenset({"jr", "sr", "ii", "iii", "iv", "junior", "senior", "hijo", "padre"})


_FOLDED_LENGTH = 240  # from at most 120 characters; a few become up to 18, and the column has an index
_APOSTROPHES = frozenset("'’‘ʼʻʹ`´′＇")
# Letters that Unicode does not split into a plain letter and a mark.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ı": "i", "ŧ": "t", "ŋ": "n"}
)
_JOINED = frozenset("\u200c\u200d\u00ad\u200b")  # invisible characters inside a word


def fold_name(text: str) -> str:
    """Return the words of a name or a search in plain lower-case letters, separated by single spaces.

    "Søren O’Neill-Straße" becomes "soren oneill strasse". Names are stored, searched and compared in this form.
    """
    joined = "".join(char for char in text if char not in _APOSTROPHES and char not in _JOINED)
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", joined).casefold()).translate(_PLAIN_LETTERS)
    unmarked = (char for char in plain if not unicodedata.combining(char))
    # Keep marks ("M"), because the vowel signs of Indic scripts are marks that belong to the word.
    words = "".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in unmarked).split()
    return " ".join(words)[:_FOLDED_LENGTH]


def is_same_name(one: str, other: str) -> bool:
    return sorted(_split_words(one)) == sorted(_split_words(other))


def is_short_form(one: str, other: str) -> bool:
    """Return whether one name is a short form of the other: with words left out or cut to initials.

    For example, "A. Alder" is a short form of "Ana María Alder".
    """
    return _can_match_names(one, other, _is_same_or_initial)


def is_similar_name(one: str, other: str) -> bool:
    """Return whether the names match as in `is_short_form`, with one typo allowed in a longer word.

    For example, "Anna Adler" is similar to "Ana Alder".
    """
    return _can_match_names(one, other, lambda short, long: _is_same_or_initial(short, long) or _is_typo(short, long))


def _can_match_names(one: str, other: str, matches: WordMatcher) -> bool:
    short, long = sorted((_split_words(one), _split_words(other)), key=len)
    if _GENERATIONS & set(short) != _GENERATIONS & set(long):
        return False
    return bool(short) and _can_match_each_word(short, long, matches)


def _can_match_each_word(short: list[str], long: list[str], matches: WordMatcher) -> bool:
    # Bipartite matching: each word of the shorter name needs its own word of the longer one.
    taken: dict[int, int] = {}

    def find_match(word: int, tried: set[int]) -> bool:
        for at in range(len(long)):
            if at not in tried and matches(short[word], long[at]):
                tried.add(at)
                if at not in taken or find_match(taken[at], tried):
                    taken[at] = word
                    return True
        return False

    return all(find_match(word, set()) for word in range(len(short)))


def _is_same_or_initial(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])


def _is_typo(one: str, other: str) -> bool:
    # A typo is one letter added, missing or changed, or two letters swapped.
    short, long = sorted((one, other), key=len)
    if len(short) < _TYPO_MIN_LETTERS - 1 or len(long) < _TYPO_MIN_LETTERS or len(long) - len(short) > 1:
        return False
    at = next((n for n, letter in enumerate(short) if letter != long[n]), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[:at] + short[at : at + 2][::-1] + short[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped == long


def _split_words(name: str) -> list[str]:
    return fold_name(name).split()
