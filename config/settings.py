"""The settings. Everything that differs between machines comes from the environment (`.env.example`)."""

from pathlib import Path

from csp.constants import NONE, SELF
from environs import env, validate

from config import languages, logs

ROOT = Path(__file__).resolve().parent.parent
# Every command reads .env. Variables that are already set take precedence.
if _env_file := env.str("ENV_FILE", str(ROOT / ".env")):
    env.read_env(_env_file, recurse=False)
_NOT_EMPTY = validate.Length(min=1)
_HTTP_URL = validate.URL(schemes={"http", "https"}, require_tld=False)

# The installation
DEMO_EMPTY = env.str("DEMO", "").lower() == "empty"  # a demo without data
DEMO = DEMO_EMPTY or env.bool("DEMO", default=False)
BASE_URL = env.str("BASE_URL", "http://localhost:8000", validate=_HTTP_URL).rstrip("/")
SECRET_KEY = env.str("SECRET_KEY", validate=_NOT_EMPTY)
SECRET_KEY_FALLBACKS = [key for key in env.list("SECRET_KEY_FALLBACKS", [], subcast=str.strip) if key]
IDENTITY_KEY = env.str("IDENTITY_KEY", validate=_NOT_EMPTY)
ALLOWED_HOSTS = [
    *env.list("ALLOWED_HOSTS", ["127.0.0.1", "[::1]"], subcast=str.strip),
    "localhost",
]  # health probes use localhost
CSRF_TRUSTED_ORIGINS = [BASE_URL]
DEBUG = False
SECURE = BASE_URL.startswith("https://")
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
# The networks of our proxies, loopback and private ones by default, and the number of proxies in a row.
TRUSTED_PROXIES = [network for network in env.list("TRUSTED_PROXIES", [], subcast=str.strip) if network]
PROXY_COUNT = env.int("PROXY_COUNT", 1, validate=validate.Range(min=1, max=9))
RATE_LIMITS = env.bool("RATE_LIMITS", default=True)
SIGNUP = env.str("SIGNUP", "closed", validate=validate.OneOf(["closed", "invite", "open"]))
# Each erasure is a line in this file, so that it can be repeated after a restore. Keep it apart from the database.
ERASURES_FILE = env.str("ERASURES_FILE", "")
METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # lets callers outside the private network read /metrics and /readyz

INSTALLED_APPS = [
    "config",
    "drives",
    "volunteers",
    "notifications",
    "organizations",
    "config.apps.ReadOnlyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "rest_framework",
]

MIDDLEWARE = [
    "config.client_address.ClientAddressMiddleware",
    "config.logs.RequestLogMiddleware",
    "config.health.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    # After LocaleMiddleware, because a refusal needs the language, and before all middleware that uses the database.
    "config.connections.LostConnectionMiddleware",
    "config.sessions.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.nul_characters.NulCharacterMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CSRF_FAILURE_VIEW = "config.errors.csrf_failed"
# The forms with a file. Their bodies may be longer (see also config/rsgi_adapter.py and deploy/).
UPLOAD_PATHS = ("/organizer/causes/", "/organizer/imports/", "/organizer/settings/organization/look/")
MAX_UPLOAD_BYTES = 9 * 1024 * 1024  # a file of 8 MB and the form's other fields

# Database: PostgreSQL only. Each thread of the web process (WEB=on) keeps its connection. Workers open one per task.
# PgBouncer in transaction mode allows nothing that outlives a transaction: no prepared statement or server-side cursor.
_database = env.dj_db_url("DATABASE_URL")
_PGBOUNCER = env.bool("PGBOUNCER", default=False)
_WEB = env.bool("WEB", default=False)
# Database limits for web requests are short. Sweeps may take longer, because Celery's time limits end them.
DATABASE_CONNECT_SECONDS = env.int("DATABASE_CONNECT_SECONDS", 3, validate=validate.Range(min=2))
DATABASE_STATEMENT_SECONDS = env.int("DATABASE_STATEMENT_SECONDS", 5 if _WEB else 0)
DATABASE_LOCK_SECONDS = env.int("DATABASE_LOCK_SECONDS", 4 if _WEB else 0)
DATABASE_MIGRATION_LOCK_SECONDS = env.int("DATABASE_MIGRATION_LOCK_SECONDS", 1)  # of `manage.py migrate`; 0: none
DATABASE_IDLE_SECONDS = env.int("DATABASE_IDLE_SECONDS", 60)  # how long a transaction may do nothing
DATABASE_SILENT_SECONDS = env.int("DATABASE_SILENT_SECONDS", 6 if _WEB else 0)  # see config.connections
_database_limits = (
    f"-c statement_timeout={DATABASE_STATEMENT_SECONDS}s -c lock_timeout={DATABASE_LOCK_SECONDS}s"
    f" -c idle_in_transaction_session_timeout={DATABASE_IDLE_SECONDS}s"
)
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        # `config.connections` closes connections that the server has ended.
        "CONN_MAX_AGE": None if _WEB else 0,
        "DISABLE_SERVER_SIDE_CURSORS": _PGBOUNCER,
        "OPTIONS": {
            "connect_timeout": DATABASE_CONNECT_SECONDS,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": 8_000,  # milliseconds until unacknowledged data ends the connection
            # PgBouncer refuses them: set them for the role (`ALTER ROLE … SET`).
            **({} if _PGBOUNCER else {"options": _database_limits}),
            **_database.get("OPTIONS", {}),
            # Plan each statement once per connection. Planning took half of PostgreSQL's time for a booking.
            "server_side_binding": True,
            "prepare_threshold": None if _PGBOUNCER else 3,
        },
    }
}
_LOCAL_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    # allauth counts sign-ins and remembers used one-time codes here, for all processes.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shared_cache",  # `organizations.models.SharedCacheEntry`
        "KEY_FUNCTION": "config.shared_cache.build_cache_key",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    # Each process has its own copy of this cache, so that bookings and calendars need no SQL statement for it.
    "local": {"BACKEND": _LOCAL_MEMORY, "OPTIONS": {"MAX_ENTRIES": 20_000}},
    # for `drives.web.shared_pages`; a page has two entries and takes about 30 kB
    "pages": {"BACKEND": _LOCAL_MEMORY, "LOCATION": "pages", "OPTIONS": {"MAX_ENTRIES": 300}},
}

# Accounts are for members of organizations. Donors verify a phone number or e-mail address instead.
AUTH_USER_MODEL = "organizations.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_ADAPTER = "organizations.web.accounts.ClosedSignupAdapter"
ACCOUNT_FORMS = {
    "login": "organizations.web.account_forms.SignInForm",
    "reset_password": "organizations.web.account_forms.ResetPasswordForm",
}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # otherwise anyone could use the reset form to send mail to any address
ACCOUNT_EMAIL_NOTIFICATIONS = True  # tell a member by e-mail when the password or a second step changes
ACCOUNT_LOGOUT_ON_GET = False
# "found" limits the visitors who ask for a link to found an organization (SIGNUP=open).
ACCOUNT_RATE_LIMITS = {"found": "5/h/ip"} if RATE_LIMITS else False
ALLAUTH_TRUSTED_PROXY_COUNT = 0  # `config.client_address` has set REMOTE_ADDR to the visitor's address
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/organizer/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
SECOND_STEP_REQUIRED = not DEMO  # for owners and coordinators

# Languages and time. Times are stored in UTC and shown in the site's zone.
LANGUAGE_CODE = languages.SOURCE_LANGUAGE
LOCALE_PATHS = [ROOT / "config" / "locale"]
FORMAT_MODULE_PATH = "config.formats"
LANGUAGES = languages.find_languages(*LOCALE_PATHS)
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
PHONE_REGION = "US"  # the country of national numbers if there is no organization

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", str(ROOT / "static-collected"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Security
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [f"^{path[1:]}$" for path in logs.PROBE_PATHS]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SECURE else 0
# Other names under this domain may not have TLS. Preload lists are hard to leave.
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE and env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = SECURE and env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # HSTS_INCLUDE_SUBDOMAINS and HSTS_PRELOAD are optional
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# With "no-referrer", browsers would send "Origin: null", and every form would fail the CSRF check.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# Messages
SMS_COUNTRIES = frozenset(  # countries where we send text messages
    env.list("SMS_COUNTRIES", ["US", "CA", "PR", "VI", "GU", "AS", "MP"], subcast=str.strip)
)
SMS_PROVIDER = env.str("SMS_PROVIDER", "inbox" if DEMO else "twilio", validate=validate.OneOf(["twilio", "inbox"]))
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", "")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", "")
TWILIO_SECONDARY_AUTH_TOKEN = env.str("TWILIO_SECONDARY_AUTH_TOKEN", "")  # also accepted while you replace the token
TWILIO_MESSAGING_SERVICE_SID = env.str("TWILIO_MESSAGING_SERVICE_SID", "")
TWILIO_FROM = env.str("TWILIO_FROM", "")
TWILIO_API_URL = env.str("TWILIO_API_URL", "https://api.twilio.com", validate=_HTTP_URL).rstrip("/")
EMAIL_URL = env.str("EMAIL_URL", "inbox" if DEMO else "smtp://localhost:25")
EMAIL_FROM = env.str("EMAIL_FROM", "drives@localhost")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM
EMAIL_BACKEND = "notifications.mail.OutboxBackend"

# Celery. The queues are tables in PostgreSQL; Celery only starts the tasks that read them.
REDIS_URL = env.str("REDIS_URL", "redis://localhost:6379/0")
if REDIS_URL.startswith(
    "filesystem:///"
):  # the embedded stack uses a folder as the broker; enough for one machine and 50 tasks a second
    _folder = REDIS_URL.removeprefix("filesystem://")
    CELERY_BROKER_URL = "filesystem://localhost/"
    CELERY_BROKER_TRANSPORT = "config.embedded.broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": f"{_folder}/queue",
        "data_folder_out": f"{_folder}/queue",
        "control_folder": f"{_folder}/control",
        "polling_interval": 0.1,
    }
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
else:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 3600,
        "socket_connect_timeout": 5,
        "socket_timeout": 30,
        "socket_keepalive": True,
    }
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
# Acknowledge tasks when they begin. If a task dies, beat soon starts it again. With late acknowledgment, a worker that
# loses its connection to Redis may stop.
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_TIMEZONE = "UTC"

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.api.ApiKeyAuthentication",
        "config.api.CoordinatorSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["config.api.DenyAll"],
    "DEFAULT_THROTTLE_CLASSES": ["config.api.RateThrottle"],
    "DEFAULT_PARSER_CLASSES": ["config.api.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.JsonNegotiation",
    "DEFAULT_PAGINATION_CLASS": "config.api.CursorPages",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.problems.handle_api_exception",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Plasma drives",
    "VERSION": "1",
    "DESCRIPTION": (
        "Find a drive, book a slot, run the day. Ids are opaque strings. Times are ISO 8601 with the offset of the "
        "site. Follow `next` through a list. Errors are problem documents (RFC 9457); clients should branch on"
        " `code`. "
        "Sentences are in the language of `Accept-Language`."
    ),
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "GENERIC_ADDITIONAL_PROPERTIES": None,
    "SORT_OPERATIONS": False,
    "ENUM_NAME_OVERRIDES": {
        "VisitEnum": "drives.models.Visit",
        "StateEnum": "drives.models.BookingState",
        "MessageStateEnum": "notifications.models.MessageState",
        "WaitlistEntryStateEnum": "drives.models.WaitlistEntryState",
    },
}

# Logs: JSON lines with the request's id and without personal data
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
LOGGING = logs.build_logging_config(LOG_LEVEL)
SENTRY_DSN = env.str("SENTRY_DSN", "")
