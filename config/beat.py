"""`python -m config.beat`: put each sweep into the queue when it is due.

Beat sends only the names of the tasks. So its app has none of Celery's support for Django, which would load the whole
service and take three times the memory.
"""

import logging.config
import os

from celery import Celery
from django.conf import settings

from config import schedule, sentry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("plasma-drives-beat", fixups=[], set_as_current=False)
schedule.configure(app)


def main() -> None:
    logging.config.dictConfig(settings.LOGGING)
    sentry.start_if_configured()
    app.Beat(loglevel=settings.LOG_LEVEL, quiet=True).run()


if __name__ == "__main__":
    main()
