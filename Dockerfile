# One image for web, worker, beat and migrate. compose.yaml has their commands.
FROM python:3.14-slim-bookworm AS packages
COPY requirements.lock /
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: -r /requirements.lock \
 && find /venv -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +

FROM python:3.14-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_ROOT=/srv/static
RUN useradd --system --uid 10001 --no-create-home drives && install -d -o drives /var/lib/plasma-drives
COPY --from=packages /venv /venv
WORKDIR /srv/app
COPY manage.py ./
COPY config config
COPY organizations organizations
COPY notifications notifications
COPY volunteers volunteers
COPY drives drives
# These values are not kept in the image. collectstatic only needs settings that load.
RUN SECRET_KEY=build IDENTITY_KEY=build DATABASE_URL=postgresql:///none BASE_URL=http://localhost \
    python manage.py collectstatic --no-input --verbosity 0
USER drives
EXPOSE 8000
CMD ["python", "-m", "config.web_server"]
