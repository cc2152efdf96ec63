"""Reduce a donor's text to the donor's own words: no quotes, reactions, signatures, accents or punctuation."""

import re
import unicodedata

_OPEN, _CLOSE = '[“"«„]', '[”"»“]'
_QUOTE = re.compile(r"“[^”]*”|«[^»]*»|\"[^\"]*\"")
_REACTION = re.compile(
    r"^\W*(?:"
    r"(?:loved|liked|disliked|laughed at|emphasi[sz]ed|questioned|reacted \S+ to|reacted to|removed an? [\w ]+ from"
    r"|le encant[oó](?: a)?|(?:no )?le gust[oó]|le dio risa|se (?:ri[oó]|burl[oó]) de|enfatiz[oó]|destac[oó]"
    r"|exclam[oó] por"
    r"|pregunt[oó] por|cuestion[oó]|reaccion[oó](?: con)? \S+ (?:a|en)|elimin[oó] [\w ]+ de|quit[oó] [\w ]+ de)"
    rf"\s*(?:{_OPEN}.*{_CLOSE}\W*$|{_OPEN}[^”»]*$|an? (?:image|movie|photo|video)\W*$|una? (?:imagen|foto|video)\W*$)"
    rf"|(?:to|a) “[^”]*”\W*$)",
    re.IGNORECASE | re.DOTALL,
)
_SIGNATURE = re.compile(
    r"^\s*(?:--|sent (?:from|via|with|by)\b|get outlook\b|enviado (?:desde|con|por|de)\b|obtener outlook\b)",
    re.IGNORECASE,
)
_NO_AT_START = re.compile(r"^(\W*no),", re.IGNORECASE)


def is_reaction(text: str) -> bool:
    """Return whether a phone generated this text for a reaction, such as "Loved “…”"."""
    return bool(_REACTION.match(_remove_invisible(text).strip()))


def list_own_lines(text: str) -> list[str]:
    """Return the lines that the donor wrote: no quotes, and nothing from the signature on."""
    lines: list[str] = []
    for line in _QUOTE.sub(" ", _remove_invisible(text)).splitlines():
        if lines and _SIGNATURE.match(line):
            break
        if line.strip() and not line.lstrip().startswith(">"):
            lines.append(line.strip())
    return lines


def normalize_words(text: str) -> str:
    """Return the words in lowercase, without accents, apostrophes and punctuation."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in folded if not unicodedata.combining(char) and char not in "'’‘´`")
    return " ".join(re.sub(r"[^\w\s]|_", " ", letters).split())


def list_sentences(text: str) -> list[tuple[str, bool]]:
    """Return the sentences that the donor wrote, normalized, and for each sentence whether it is a question."""
    found: list[tuple[str, bool]] = []
    for line in list_own_lines(text):
        # Without the comma, "No, dejen de escribir" would read as "No dejen de escribir".
        for sentence in re.findall(r"[^.!?;…]+[.!?;…]*", _NO_AT_START.sub(r"\1.", line)):
            words = normalize_words(sentence)
            if words:
                found.append((words, "?" in sentence or "¿" in sentence))
    return found


def _remove_invisible(text: str) -> str:
    return "".join(char for char in text if char in "\n\r\t" or unicodedata.category(char) not in ("Cc", "Cf"))
