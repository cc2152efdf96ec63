"""QR codes for links, as SVG for pages and as files to download."""

import io

import segno
from django.utils.safestring import SafeString, mark_safe

# Level M is readable even if 15 % of the code is covered. The standard requires a border of four modules.
ERROR_LEVEL, BORDER = "m", 4
PNG_SCALE = 24  # pixels per module, enough for a poster


def draw_inline_svg(address: str) -> SafeString:
    drawing = segno.make(address, error=ERROR_LEVEL, micro=False).svg_inline(
        border=BORDER, scale=4, omitsize=True, svgclass=None, lineclass=None
    )
    return mark_safe(drawing)  # noqa: S308  segno draws it from our own URL


def build_svg_file(address: str) -> bytes:
    return _save(address, "svg", 10)


def build_png_file(address: str) -> bytes:
    return _save(address, "png", PNG_SCALE)


def _save(address: str, kind: str, scale: int) -> bytes:
    out = io.BytesIO()
    segno.make(address, error=ERROR_LEVEL, micro=False).save(out, kind=kind, scale=scale, border=BORDER)
    return out.getvalue()
