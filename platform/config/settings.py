"""All settings; differences between places come by environment (see `.env.example`)."""

from pathlib import Path

from celery.schedules import crontab, schedule
from django.utils.translation import gettext_lazy as _

from config import env
from config.database import database_from_url
from config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = Path(env.text("DASH_VAR", str(BASE_DIR / "var"))).resolve()
env.load_stack_file(VAR_DIR / "stack.env")

# --- safety -------------------------------------------------------------------------------------------------------
DEBUG = env.boolean("DEBUG")
# Empty on purpose when unset: Django then refuses whatever needs it, while commands that need no secret still work.
SECRET_KEY = env.text("SECRET_KEY")
FIELD_ENCRYPTION_KEY = env.text("FIELD_ENCRYPTION_KEY")
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
BEHIND_TLS = env.boolean("BEHIND_TLS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "dashboard.views.errors.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
# Sent by core.middleware.ContentSecurityPolicy; no CDN, no inline script or style. The one frame and object source
# is our own document preview.
CONTENT_SECURITY_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "font-src": "'self' data:",
    "frame-src": "'self'",
    "object-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}

# --- apps ---------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "core",
    "dashboard",
    "services_registry",
    "shipments",
    "costs",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "core.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "core.middleware.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.middleware.LoginRequired",
    "core.middleware.PersonalTimeZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.debug",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.context_processors.frame",
            ],
        },
    },
]
FORM_RENDERER = "core.forms.TablerFormRenderer"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["core.identity.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- data ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": database_from_url(env.text("DATABASE_URL", "postgresql:///dash"))}
VALKEY_URL = env.text("VALKEY_URL", "redis://127.0.0.1:6379")


def _valkey(db: int, *, for_celery: bool = False) -> str:
    """The address of one logical database, in the spelling that redis-py or kombu wants."""
    if VALKEY_URL.startswith("unix:"):
        path = VALKEY_URL.removeprefix("unix://").removeprefix("unix:")
        return f"redis+socket://{path}?virtual_host={db}" if for_celery else f"unix://{path}?db={db}"
    return f"{VALKEY_URL.rstrip('/')}/{db}"


CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _valkey(2),
        "OPTIONS": {"socket_timeout": 3, "socket_connect_timeout": 3},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 2**20
DOCUMENT_STORE = env.text("DOCUMENT_STORE")  # s3://bucket/prefix; empty: the folder DOCUMENT_ROOT
# With documents in S3: downloads by a signed address of S3, after the permission was checked. Only where browsers reach it.
DOCUMENT_LINKS = env.boolean("DOCUMENT_LINKS", bool(DOCUMENT_STORE) and not env.text("AWS_ENDPOINT_URL"))
# A file without a delivery is attached by itself from this confidence on (per cent); below it a person is asked.
DOCUMENT_MATCH_PERCENT = env.integer("DOCUMENT_MATCH_PERCENT", 90, minimum=1, maximum=101)
STORAGES = {
    "default": {"BACKEND": "core.aws.documents.DocumentStorage", "OPTIONS": {"place": DOCUMENT_STORE}}
    if DOCUMENT_STORE
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.text("DOCUMENT_ROOT", str(VAR_DIR / "documents"))},
    },
    "staticfiles": {"BACKEND": "core.storage.StaticFiles"},
}
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(VAR_DIR / "static")))
STATICFILES_DIRS = [("vendor", BASE_DIR / "build" / "vendor")]

# --- background work ------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = _valkey(0, for_celery=True)
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the longest task (a chunk of a 15-minute function); kombu's default sweep is every 100 s.
    "visibility_timeout": 1200,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_keepalive": True,
}
CELERY_TASK_SOFT_TIME_LIMIT = 1080
CELERY_TIMEZONE = "UTC"
# Invocations under way in one worker process; what bounds them per function and in all is set on the pages.
BATCH_THREADS = env.integer("BATCH_THREADS", 32, minimum=1, maximum=500)
# After being asked to stop, a worker waits so long for what is under way; the rest is brought back by others.
BATCH_STOP_SECONDS = env.integer("BATCH_STOP_SECONDS", 5, minimum=0, maximum=900)
# Days for which single reports and refused lines are kept; the hours and days they add up to stay.
REPORT_DAYS = env.integer("REPORT_DAYS", 30, minimum=1, maximum=3650)
# Days for which a line is known again. A day of a function takes late lines for so long after its first one came in.
REPORT_KEY_DAYS = env.integer("REPORT_KEY_DAYS", 90, minimum=2, maximum=3650)
# Hourly reading of CloudWatch Logs for functions whose lines do not come in by a Firehose subscription.
LOG_PULL = env.boolean("LOG_PULL", True)
# Whether the sync reads the tables of contents of deployment packages from S3, for their unpacked sizes.
MEASURE_PACKAGES = env.boolean("MEASURE_PACKAGES", True)
# USD a day by which a function must differ from its usual before anybody is told of a cost anomaly.
COST_ANOMALY_USD = env.integer("COST_ANOMALY_USD", 1, minimum=1, maximum=1_000_000)
# Asking CloudWatch hourly what it counted, to check our own count and to stand in where no lines come in. Costs a little.
METRIC_CHECKS = env.boolean("METRIC_CHECKS", True)
# So many of the busiest functions are read by the minute, beside those that people mark.
METRIC_BUSIEST = env.integer("METRIC_BUSIEST", 0, minimum=0, maximum=80)
# A name, a task (named by string: the wiring imports no app) and the seconds between runs.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "run-schedules": {"task": "services_registry.run_schedules", "schedule": schedule(30)},
    "refresh-standings": {"task": "services_registry.refresh_standings", "schedule": schedule(300)},
    "refresh-long-standings": {
        "task": "services_registry.refresh_long_standings",
        "schedule": crontab(hour="0", minute="20"),
    },
    "evaluate-findings": {"task": "services_registry.evaluate_findings", "schedule": schedule(3600)},
    "check-metrics": {"task": "services_registry.check_metrics", "schedule": schedule(300)},
    "watch-hot": {"task": "services_registry.watch_hot", "schedule": schedule(60)},
    "pull-logs": {"task": "services_registry.pull_logs", "schedule": schedule(3600)},
    "sync-details": {"task": "services_registry.sync_details", "schedule": crontab(hour="1", minute="30")},
    "sync-functions": {"task": "services_registry.sync_functions", "schedule": schedule(3600)},
    "age-shipments": {"task": "shipments.age_shipments", "schedule": schedule(3600)},
    "clean-reports": {"task": "services_registry.clean_reports", "schedule": crontab(hour="0", minute="20")},
    "continue-imports": {"task": "shipments.continue_imports", "schedule": schedule(60)},
    "run-automations": {"task": "shipments.run_automations", "schedule": schedule(60)},
    "purge-import-files": {"task": "shipments.purge_import_files", "schedule": schedule(24 * 3600)},
    "keep-completeness": {"task": "shipments.keep_completeness", "schedule": schedule(10)},
    "fetch-due-documents": {"task": "shipments.fetch_due", "schedule": schedule(60)},
    "refresh-home": {"task": "shipments.refresh_home", "schedule": schedule(300)},
    "read-documents": {"task": "shipments.read_documents", "schedule": schedule(60)},
    "keep-documents": {"task": "shipments.keep_documents", "schedule": crontab(hour="2", minute="40")},
    "send-due-webhooks": {"task": "core.send_due_webhooks", "schedule": schedule(15)},
    "refresh-costs": {"task": "costs.refresh_sums", "schedule": schedule(300)},
    "refresh-late-costs": {"task": "costs.refresh_late_sums", "schedule": crontab(hour="0", minute="40")},
    "monthly-cost-report": {
        "task": "costs.monthly_report",
        "schedule": crontab(day_of_month="1-3", hour="6-23", minute="5"),
    },
    "watch-costs": {"task": "costs.watch", "schedule": schedule(3600)},
    "send-notices": {"task": "core.send_notices", "schedule": schedule(60)},
    "forget-old": {"task": "core.forget_old", "schedule": schedule(86_400)},
    "take-waiting-events": {"task": "shipments.take_waiting_events", "schedule": schedule(3600)},
    "continue-bills": {"task": "costs.continue_bills", "schedule": schedule(60)},
    "reconcile-costs": {"task": "costs.reconcile", "schedule": schedule(3600)},
    "take-delivered-bills": {"task": "costs.take_delivered_bills", "schedule": crontab(minute="25")},
    "ask-cost-explorer": {"task": "costs.ask_cost_explorer", "schedule": crontab(hour="5", minute="40")},
    "refresh-prices": {"task": "costs.refresh_prices", "schedule": crontab(hour="4", minute="15", day_of_week="1")},
    "forget-bills": {"task": "costs.forget_bills", "schedule": crontab(hour="3", minute="10")},
    "sweep-carriers": {"task": "shipments.sweep_due", "schedule": schedule(60)},
    "forget-sweeps": {"task": "shipments.forget_sweeps", "schedule": schedule(3600)},
    "refresh-unit-costs": {"task": "costs.refresh_unit_costs", "schedule": schedule(600)},
    "refresh-what-ifs": {"task": "costs.refresh_what_ifs", "schedule": crontab(hour="0", minute="50")},
}

# --- AWS ------------------------------------------------------------------------------------------------------------
AWS_REGION = env.text("AWS_REGION", "eu-central-1")
AWS_ENDPOINT_URL = env.text("AWS_ENDPOINT_URL")  # empty in production; the local AWS of the embedded stack otherwise
# Lambda management calls a second of all processes together (the bucket is in Valkey); AWS allows 15 for a whole account
# and region, and deployments want some of them.
AWS_MANAGEMENT_RATE = env.integer("AWS_MANAGEMENT_RATE", 8, minimum=1, maximum=1000)
# Seconds between two times that a process writes down how often it called AWS; 0: only at the end of tasks.
AWS_CALLS_FLUSH_S = env.integer("AWS_CALLS_FLUSH_S", 20, minimum=0, maximum=3600)
EXCHANGE_BUCKET = env.text("EXCHANGE_BUCKET", "shipment-platform-exchange")
EXCHANGE_EXPIRY_DAYS = env.integer("EXCHANGE_EXPIRY_DAYS", 7, minimum=1, maximum=365)
IMPORT_FILE_DAYS = env.integer("IMPORT_FILE_DAYS", 90, minimum=1, maximum=3650)
# Bills: the tag whose value names a capability, and the days for which what an import replaced can be brought back.
# Reports that AWS delivers: s3://bucket/prefix/, read every hour; empty: none. Cost Explorer is asked once a day for the
# last COST_EXPLORER_DAYS days; AWS takes 0.01 USD for a request, so it is off until switched on, and bounded by month.
BILL_PREFIX = env.text("BILL_PREFIX")
COST_EXPLORER = env.boolean("COST_EXPLORER")
COST_EXPLORER_DAYS = env.integer("COST_EXPLORER_DAYS", 14, minimum=1, maximum=365)
COST_EXPLORER_REQUESTS = env.integer("COST_EXPLORER_REQUESTS", 300, minimum=0, maximum=100_000)
PRICE_REFRESH = env.boolean("PRICE_REFRESH")
COST_CAPABILITY_TAG = env.text("COST_CAPABILITY_TAG", "capability")
BILL_UNDO_DAYS = env.integer("BILL_UNDO_DAYS", 60, minimum=1, maximum=3650)
CARRIER_STANDIN = env.mapping("CARRIER_STANDIN")
SAMPLE_DATA = env.boolean("SAMPLE_DATA")

# --- webhooks out ---------------------------------------------------------------------------------------------------
# Networks beside the public ones that webhooks may be sent to: 10.2.0.0/16,fd00::/8
WEBHOOK_NETWORKS = env.networks("WEBHOOK_NETWORKS")

# --- mail -----------------------------------------------------------------------------------------------------------
# Without a server, mails are written to files where EMAIL_FOLDER is set, else not at all.
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_FILE_PATH = env.text("EMAIL_FOLDER")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST or not EMAIL_FILE_PATH else 'filebased'}.EmailBackend"
EMAIL_PORT = env.integer("EMAIL_PORT", 587, minimum=1, maximum=65_535)
EMAIL_HOST_USER = env.text("EMAIL_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_PASSWORD")
EMAIL_USE_SSL = env.boolean("EMAIL_TLS")
EMAIL_USE_TLS = env.boolean("EMAIL_STARTTLS", not EMAIL_USE_SSL)
EMAIL_TIMEOUT = env.integer("EMAIL_TIMEOUT", 20, minimum=1, maximum=300)
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "dashboard@localhost")
# How people reach the dashboard, for links in mails.
PUBLIC_URL = env.text("PUBLIC_URL", next(iter(CSRF_TRUSTED_ORIGINS), "")).rstrip("/")

# --- people, language, time -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DISPLAY_TIME_ZONE = env.text("DISPLAY_TIME_ZONE", "Europe/Madrid")  # until a person chooses their own

# --- REST API -------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "core.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.permissions.RolePermission"],
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.errors.handle",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Shipment platform API",
    "DESCRIPTION": "Deliveries, documents, messages, functions, batches and costs for internal tools.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.errors_everywhere",
    ],
    # Named once, because a batch is written in two ways: in the list and alone.
    "ENUM_NAME_OVERRIDES": {
        "BatchStateEnum": "services_registry.choices.BatchState",
        "DocumentTypeEnum": "shipments.choices.DocumentType",
        "BasisEnum": "costs.budgets.choices.Basis",
        "SizeBasisEnum": "services_registry.choices.Basis",
    },
}

LOGGING = logging_config(debug=DEBUG)
TEST_RUNNER = "django.test.runner.DiscoverRunner"
