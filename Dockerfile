# One image for web, worker, beat and migrate. compose.yaml has their commands.
FROM python:3.14-slim-bookworm AS packages
COPY requirements.lock /
# What the service never reads is removed: tests, sources in C, languages other than English and Spanish, and the pages of
# an API that answers with JSON only.
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: -r /requirements.lock \
 && find /venv -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} + \
 && find /venv -path '*/locale/*/*' ! -path '*/locale/en*' ! -path '*/locale/es*' -type f -delete \
 && find /venv -type f \( -name '*.po' -o -name '*.c' -o -name '*.h' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' \) -delete \
 && rm -rf /venv/lib/python3*/site-packages/rest_framework/static

FROM python:3.14-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 STATIC_ROOT=/srv/static
RUN useradd --system --uid 10001 --no-create-home drives && install -d -o drives /var/lib/plasma-drives
COPY --from=packages /venv /venv
WORKDIR /srv/app
COPY manage.py ./
COPY config config
COPY organizations organizations
COPY notifications notifications
COPY volunteers volunteers
COPY drives drives
# These values are not kept in the image. All that runs is imported once and leaves its bytecode: a start and a health check
# of a worker then take less than half of the processor time.
RUN export SECRET_KEY=only-for-the-build-not-kept-in-the-image IDENTITY_KEY=as-long-and-not-kept-in-the-image \
    DATABASE_URL=postgresql:///none REDIS_URL=redis://none BASE_URL=http://localhost SMS_PROVIDER=inbox EMAIL_URL=inbox \
 && python manage.py collectstatic --no-input --verbosity 0 \
 && python manage.py check \
 && python -c "import config.beat, config.web_server, config.wsgi, config.urls" \
 && celery -A config.celery report > /dev/null
ENV PYTHONDONTWRITEBYTECODE=1
USER drives
EXPOSE 8000
CMD ["python", "-m", "config.web_server"]
