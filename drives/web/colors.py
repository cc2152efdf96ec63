"""Colours as people see them: whether an organization's accent can be read, and what it becomes at night."""

import colorsys

WHITE, PAPER, NIGHT, NIGHT_INK = "#ffffff", "#faf7f0", "#1c222c", "#101a20"
READABLE = 4.5  # WCAG 2.2, 1.4.3: text of normal size
AT_NIGHT = 7.0


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (#rrggbb), 1 to 21, as WCAG defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def is_readable(accent: str) -> bool:
    """Whether the accent can carry text on our paper, and white text on itself."""
    return min(contrast(accent, PAPER), contrast(accent, WHITE)) >= READABLE


def at_night(accent: str) -> str:
    """The accent made lighter until it reads well on the dark cards; hue and saturation stay."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in _channels(accent)))
    for step in range(101):
        brighter = colorsys.hls_to_rgb(hue, lightness + (1 - lightness) * step / 100, saturation)
        colour = "#" + "".join(f"{round(channel * 255):02x}" for channel in brighter)
        if contrast(colour, NIGHT) >= AT_NIGHT:
            return colour
    return WHITE


def stylesheet(accent: str) -> str:
    """The custom properties of an organization's accent; empty for one that cannot be read."""
    if not is_readable(accent):
        return ""
    night = f":root{{--accent:{at_night(accent)};--accent-ink:{NIGHT_INK}}}"
    by_day, on_paper = f":root{{--accent:{accent}}}", "@media print{:root{--accent:#000;--accent-ink:#fff}}"
    return f"{by_day}@media (prefers-color-scheme:dark){{{night}}}{on_paper}"


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
