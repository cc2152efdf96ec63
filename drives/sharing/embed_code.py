"""Build the HTML code with which another website shows a drive or a list of drives."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from drives.models import Drive
from drives.web import links as web_links

# The frame's height in pixels until the script has measured the content, or if the website blocks the script.
START_HEIGHT = 420


@dataclass(frozen=True)
class Embed:
    name: str
    heading: str
    path: str
    code: str


def list_embeds(drive: Drive) -> list[Embed]:
    organization = drive.organization
    return [
        _build_embed("drive", _("This drive"), reverse("embed_drive", args=[organization.slug, drive.slug]), drive),
        _build_embed("list", _("All your upcoming drives"), reverse("embed", args=[organization.slug]), drive),
    ]


def _build_embed(name: str, heading: str, path: str, drive: Drive) -> Embed:
    code = format_html(
        '<iframe src="{}" title="{}" width="100%" height="{}" frameborder="0" loading="lazy"'
        ' data-plasma-drives></iframe>\n<script src="{}" async></script>',
        web_links.build_absolute_url(path),
        _("Plasma drives by %(name)s") % {"name": drive.organization.name},
        START_HEIGHT,
        # Use the file name without a hash, because other websites keep this code when the file changes.
        web_links.build_absolute_url(f"{settings.STATIC_URL}site/embed.js"),
    )
    return Embed(name, heading, path, code)
