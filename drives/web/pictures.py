"""Check an uploaded picture or logo, and reduce it for our pages."""

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from PIL.Image import Image as Decoded  # slow to load, and few requests need it

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000
FORMATS: Final = ("JPEG", "PNG", "WEBP")
SIZE: Final = (1600, 1200)
LOGO_SIZE: Final = (480, 160)  # pages show it at a third of this size or less, so that it is sharp on every screen
QUALITY: Final = 82


@dataclass(frozen=True)
class Picture:
    content: bytes
    digest: str
    width: int
    height: int


def reduce_picture(file: BinaryIO, size: int | None) -> Picture:
    """Return the picture as a JPEG of at most 1600 × 1200 pixels, upright and without metadata.

    Refuses a file that is too large, or not a JPEG, PNG or WebP picture.
    """
    from PIL import Image  # noqa: PLC0415  slow to load, and few requests need it

    upright = _decode_upright(file, size, SIZE)
    plain = Image.new("RGB", upright.size, "white")  # a new picture has no metadata
    plain.paste(upright, mask=upright.getchannel("A"))
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=QUALITY, progressive=True, optimize=True)
    return _build_picture(out.getvalue(), plain)


def reduce_logo(file: BinaryIO, size: int | None) -> Picture:
    """Return the logo as a PNG of at most 480 × 160 pixels, without metadata. Transparent parts stay transparent.

    Refuses the same as `reduce_picture`.
    """
    from PIL import Image  # noqa: PLC0415  slow to load, and few requests need it

    upright = _decode_upright(file, size, LOGO_SIZE)
    plain = Image.new("RGBA", upright.size)  # a new picture has no metadata
    plain.paste(upright)
    out = io.BytesIO()
    plain.save(out, "PNG", optimize=True)
    return _build_picture(out.getvalue(), plain)


def _decode_upright(file: BinaryIO, size: int | None, bounds: tuple[int, int]) -> "Decoded":
    from PIL import Image, ImageOps  # noqa: PLC0415  slow to load, and few requests need it

    if size is None or size > MAX_BYTES:
        raise ValidationError(_("Choose a picture of at most 8 MB."), code="picture_too_large")
    try:
        with Image.open(file, formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise _build_too_many_pixels_error()
            # Convert pictures with a palette first, because Pillow reduces them without smoothing. Reduce all others
            # first, because a converted copy of the original would take more memory.
            smooth = opened.convert("RGBA") if opened.mode in {"1", "P"} else opened
            smooth.thumbnail((max(bounds), max(bounds)))
            upright = ImageOps.exif_transpose(smooth).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise _build_too_many_pixels_error() from error
    except ValidationError:
        raise
    except Exception as error:  # a damaged file can raise almost any error
        raise ValidationError(_("Choose a JPEG, PNG or WebP picture."), code="picture_unreadable") from error
    upright.thumbnail(bounds)
    return upright


def _build_picture(content: bytes, drawn: "Decoded") -> Picture:
    return Picture(content, hashlib.sha256(content).hexdigest()[:16], *drawn.size)


def _build_too_many_pixels_error() -> ValidationError:
    return ValidationError(_("Choose a picture of at most 40 megapixels."), code="picture_too_large")
