# The dashboard: web, worker and beat run from the same image with other commands (see docker-compose.yml).
FROM node:20-bookworm-slim AS frontend
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev \
 && mkdir -p build/vendor/tabler build/vendor/plotly \
 && cp node_modules/@tabler/core/dist/css/tabler.min.css node_modules/@tabler/core/dist/js/tabler.min.js build/vendor/tabler/ \
 && cp node_modules/plotly.js-basic-dist-min/plotly-basic.min.js build/vendor/plotly/

FROM python:3.12-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app:/app/platform DASH_VAR=/data STATIC_ROOT=/app/static
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home dash && mkdir /data && chown dash /data
WORKDIR /app
COPY requirements/production.txt requirements/production.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/production.txt
COPY . .
COPY --from=frontend /src/build/vendor build/vendor
RUN SECRET_KEY=only-for-collecting-files python manage.py collectstatic --noinput -i rest_framework
USER dash
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["granian", "--interface", "wsgi", "config.wsgi:application", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", "--no-ws"]
