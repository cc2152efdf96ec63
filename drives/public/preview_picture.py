"""Draw the preview picture that chats and social networks show for a drive's link."""

import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from drives.domain import localtime
from drives.models import Drive
from drives.web import colors

WIDTH, HEIGHT = 1200, 630
# Latin letters of the font DejaVu, because Pillow's own font has no accents.
FONTS: Final = Path(__file__).with_name("fonts")
BOLD: Final = "-Bold"
MARGIN: Final = 80
BAND: Final = 24  # the accent color at the left edge
PAPER, INK, MUTED, GOLD_SOFT, GOLD_INK = "#faf7f0", "#1b2430", "#5a6172", "#fbf0d6", "#704600"
TITLE_SIZES: Final = (76, 64, 54, 44)  # the first size that fits on two lines is used


def draw_preview(drive: Drive) -> bytes:
    """Draw the picture with texts in the active language, and return it as a PNG."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen, zone = ImageDraw.Draw(picture), drive.site.timezone
    accent = drive.organization.accent if colors.is_readable(drive.organization.accent) else "#1f4e5c"
    pen.rectangle((0, 0, BAND, HEIGHT), fill=accent)
    pen.text((MARGIN, 64), _shorten(drive.organization.name, _font(34)), font=_font(34), fill=MUTED)
    lines, font = _fit_title(str(drive.title))
    y = 130
    for line in lines:
        pen.text((MARGIN, y), line, font=font, fill=INK)
        y += int(font.size * 1.12)
    hours = localtime.format_range(drive.starts_at, drive.ends_at, zone)
    pen.text((MARGIN, 352), localtime.format_long_day(drive.starts_at, zone), font=_font(44, BOLD), fill=accent)
    pen.text(
        (MARGIN, 414), _shorten(f"{hours} · {drive.site.name}, {drive.site.city}", _font(30)), font=_font(30), fill=INK
    )
    if drive.cause:
        pen.rounded_rectangle((MARGIN, 494, WIDTH - MARGIN, 574), radius=18, fill=GOLD_SOFT)
        font = _font(26)
        pen.text((MARGIN + 28, 518), _shorten(str(drive.cause.summary), font, 56), font=font, fill=GOLD_INK)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _font(size: int, weight: str = "") -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / f"DejaVuSans{weight}.ttf", size)


def _fit_title(title: str) -> tuple[list[str], ImageFont.FreeTypeFont]:
    for size in TITLE_SIZES:
        lines, font = _wrap(title, _font(size, BOLD)), _font(size, BOLD)
        if len(lines) <= 2:
            return lines, font
    return [lines[0], _shorten(" ".join(lines[1:]), font)], font


def _wrap(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= WIDTH - 2 * MARGIN or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [_shorten(line, font) for line in lines]


def _shorten(text: str, font: ImageFont.FreeTypeFont, padding: int = 0) -> str:
    room = WIDTH - 2 * MARGIN - padding
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}…") > room:
        text = text[:-1]
    return f"{text.rstrip()}…"
