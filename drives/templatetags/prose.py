from django import template
from django.utils.safestring import SafeString

from drives.web import markdown

register = template.Library()


@register.filter
def prose(text: object) -> SafeString:
    return markdown.render_markdown(str(text))
