"""Find or create the users that are named on the command line."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.urls import reverse

from organizations.models import User


def find_or_create_user(email: str) -> User:
    try:
        validate_email(email)
    except ValidationError as error:
        raise CommandError(f"{email}: {error.messages[0]}") from error
    return User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)


def format_sign_in(user: User) -> str:
    """Return a sentence with the URL at which the user signs in.

    For a user without a password, it is the URL to choose one, which works for three days.
    """
    if user.has_usable_password():
        return f"{user.email} signs in at {settings.BASE_URL}/accounts/login/"
    keys = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    path = reverse("account_reset_password_from_key", kwargs=keys)
    return f"{user.email} chooses a password at {settings.BASE_URL}{path}"
