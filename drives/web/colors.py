"""Compute the contrast of an organization's accent color, and its variant for dark mode."""

import colorsys

WHITE, PAPER, DARK_CARD, DARK_INK = "#ffffff", "#faf7f0", "#1c222c", "#101a20"
MIN_CONTRAST = 4.5  # WCAG 2.2, 1.4.3: text of normal size
MIN_DARK_CONTRAST = 7.0


def compute_contrast(one: str, other: str) -> float:
    """Compute the contrast ratio of two colors (#rrggbb) as defined by WCAG, from 1 to 21."""
    light, dark = sorted((_compute_luminance(one), _compute_luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def compute_least_contrast(accent: str) -> float:
    """Return the smaller of two contrasts: of the accent as text on the page, and of white text on the accent."""
    return min(compute_contrast(accent, PAPER), compute_contrast(accent, WHITE))


def is_readable(accent: str) -> bool:
    return compute_least_contrast(accent) >= MIN_CONTRAST


def find_readable_shade(accent: str) -> str:
    """Return the accent if it is readable. Otherwise, darken it just enough to be readable."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in _parse_channels(accent)))
    for step in range(101):
        darker = colorsys.hls_to_rgb(hue, lightness * (1 - step / 100), saturation)
        color = "#" + "".join(f"{round(channel * 255):02x}" for channel in darker)
        if is_readable(color):
            return color
    return "#000000"


def lighten_for_dark_mode(accent: str) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in _parse_channels(accent)))
    for step in range(101):
        brighter = colorsys.hls_to_rgb(hue, lightness + (1 - lightness) * step / 100, saturation)
        color = "#" + "".join(f"{round(channel * 255):02x}" for channel in brighter)
        if compute_contrast(color, DARK_CARD) >= MIN_DARK_CONTRAST:
            return color
    return WHITE


def build_stylesheet(accent: str) -> str:
    if not is_readable(accent):
        return ""
    dark = f":root{{--accent:{lighten_for_dark_mode(accent)};--accent-ink:{DARK_INK}}}"
    light, print_rules = f":root{{--accent:{accent}}}", "@media print{:root{--accent:#000;--accent-ink:#fff}}"
    return f"{light}@media (prefers-color-scheme:dark){{{dark}}}{print_rules}"


def _compute_luminance(color: str) -> float:
    red, green, blue = (_linearize_channel(channel / 255) for channel in _parse_channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linearize_channel(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _parse_channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
