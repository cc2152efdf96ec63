from decimal import Decimal

from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from organizations.translated_text import TranslatedField

_GSM_TEXT_VALIDATOR = RegexValidator(
    r"^[A-Za-z0-9 .,'&/-]+$",
    _("Use only letters without accents, digits and simple punctuation. This name appears in text messages."),
)
SMS_NAME_LENGTH = 20
MIN_RETENTION_MONTHS, MAX_RETENTION_MONTHS = 3, 120
# US law forbids texts before 8 AM and after 9 PM (47 CFR 64.1200(c)(1)).
QUIET_UNTIL_HOURS, QUIET_FROM_HOURS = range(8, 21), range(9, 22)
RETENTION_VALIDATORS = [MinValueValidator(MIN_RETENTION_MONTHS), MaxValueValidator(MAX_RETENTION_MONTHS)]

_COLOR_VALIDATOR = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Enter a color, for example #1f4e5c."))

COUNTRIES = (
    ("US", _("United States")),
    ("CA", _("Canada")),
    ("MX", _("Mexico")),
    ("PR", _("Puerto Rico")),
    ("AU", _("Australia")),
    ("AT", _("Austria")),
    ("CZ", _("Czechia")),
    ("FR", _("France")),
    ("DE", _("Germany")),
    ("HU", _("Hungary")),
    ("IE", _("Ireland")),
    ("IT", _("Italy")),
    ("NL", _("Netherlands")),
    ("NZ", _("New Zealand")),
    ("ES", _("Spain")),
    ("CH", _("Switzerland")),
    ("GB", _("United Kingdom")),
)


def _build_validators(numbers: range) -> list[BaseValidator]:
    return [MinValueValidator(numbers[0]), MaxValueValidator(numbers[-1])]


class Organization(models.Model):
    """A foundation that runs drives. A drive, a site or a volunteer, for example, belongs to one organization."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    legal_name = models.CharField(max_length=160, blank=True)
    sms_name = models.CharField(max_length=SMS_NAME_LENGTH, validators=[_GSM_TEXT_VALIDATOR])
    email = models.EmailField()
    phone = models.CharField(max_length=20, blank=True)
    website = models.URLField(blank=True)
    country = models.CharField(_("Country"), max_length=2, choices=COUNTRIES, default="US")
    language = models.CharField(max_length=8, default="en")
    timezone = models.CharField(max_length=64, blank=True)  # of new sites, and of pages about all sites
    program = models.CharField(max_length=30, blank=True)  # the code of the policy that the first drive begins with
    accent = models.CharField(max_length=7, default="#1f4e5c", validators=[_COLOR_VALIDATOR])
    # The logo is in `OrganizationLogo`. Without one, the digest is empty.
    logo_digest = models.CharField(max_length=16, blank=True, editable=False)
    logo_width = models.PositiveSmallIntegerField(default=0, editable=False)
    logo_height = models.PositiveSmallIntegerField(default=0, editable=False)
    calendar_title = models.CharField(max_length=60, blank=True)
    terms_note = TranslatedField(max_length=4000, blank=True)  # donors read it above the terms of the service
    privacy_note = TranslatedField(max_length=4000, blank=True)
    setup_steps = models.JSONField(default=list, blank=True)  # step codes, see `profile`
    quiet_until_hour = models.PositiveSmallIntegerField(default=9, validators=_build_validators(QUIET_UNTIL_HOURS))
    quiet_from_hour = models.PositiveSmallIntegerField(default=20, validators=_build_validators(QUIET_FROM_HOURS))
    sms_price = models.DecimalField(
        max_digits=7, decimal_places=4, default=Decimal("0.0118")
    )  # per segment, with carrier fees
    sms_currency = models.CharField(max_length=3, default="USD")
    codes_per_day = models.PositiveIntegerField(default=500)
    messages_per_day = models.PositiveIntegerField(default=2000)  # texts; 0 means no limit
    # After this time without activity, a volunteer is erased (drives.privacy.retention).
    retention_months = models.PositiveSmallIntegerField(default=24, db_default=24, validators=RETENTION_VALIDATORS)
    links_revoked_at = models.DateTimeField(null=True, blank=True, editable=False)  # all links made before it
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    retention_months__gte=MIN_RETENTION_MONTHS, retention_months__lte=MAX_RETENTION_MONTHS
                ),
                name="retention_is_3_to_120_months",
            ),
            models.CheckConstraint(
                condition=models.Q(quiet_until_hour__lt=models.F("quiet_from_hour")),
                name="organization_has_sending_hours",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OrganizationLogo(models.Model):
    """An organization's logo as we show it: checked, reduced in size and without metadata."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, primary_key=True, related_name="logo")
    content = models.BinaryField()  # PNG

    def __str__(self) -> str:
        return f"logo of organization {self.pk}"


class Cause(models.Model):
    """The person or story that a drive honors, with sourced facts and links."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="causes", db_index=False)
    title = TranslatedField(max_length=120)
    slug = models.SlugField(max_length=60, db_index=False)  # the page's address is /c/<slug>/
    summary = TranslatedField(max_length=200)
    # Markdown, see `drives.web.markdown`
    story = TranslatedField(max_length=10_000, blank=True)
    condition = TranslatedField(max_length=10_000, blank=True)  # what the disease is
    need = TranslatedField(max_length=10_000, blank=True)  # why plasma matters
    learn_more_url = models.URLField(blank=True)
    give_url = models.URLField(blank=True)
    run_url = models.URLField(blank=True)
    picture_text = TranslatedField(max_length=200, blank=True)  # what the picture shows, for people who cannot see it

    BY_TITLE = ("title__0__1", "pk")  # the title in the main language

    class Meta:
        constraints = [models.UniqueConstraint(fields=["slug"], name="one_cause_per_slug")]

    def __str__(self) -> str:
        return str(self.title)


class CausePicture(models.Model):
    """A cause's picture as we show it: checked, reduced in size and without metadata."""

    cause = models.OneToOneField(Cause, on_delete=models.CASCADE, primary_key=True, related_name="picture")
    content = models.BinaryField()  # JPEG
    digest = models.CharField(max_length=16)  # in the picture's address, so that browsers may keep it
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"picture of cause {self.pk}"


class CauseFact(models.Model):
    cause = models.ForeignKey(Cause, on_delete=models.CASCADE, related_name="facts")
    position = models.PositiveSmallIntegerField(default=0)
    text = TranslatedField(max_length=300)
    source_name = models.CharField(max_length=120)
    source_url = models.URLField(blank=True)

    def __str__(self) -> str:
        return str(self.text)
