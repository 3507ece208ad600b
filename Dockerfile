# syntax=docker/dockerfile:1

# --- front-end libraries, as package-lock.json pins them
FROM node:24-slim AS front-end
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

# --- Python packages, as requirements/main.txt pins them
FROM python:3.13-slim AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/main.txt /tmp/
RUN python -m venv /venv && /venv/bin/pip install --require-hashes -r /tmp/main.txt

# --- OneTeam
FROM python:3.13-slim AS oneteam
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=onetteam.settings \
    ONETEAM_HOST=0.0.0.0 \
    PORT=8000 \
    ONETEAM_DATA_DIR=/data \
    ONETEAM_STATIC_ROOT=/app/build/static \
    ONETEAM_LOG_FORMAT=json
# What draws PDFs, and letters of other scripts and pictures for it; page fonts are our own.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        fontconfig fonts-dejavu-core fonts-noto-color-emoji libharfbuzz-subset0 libpangoft2-1.0-0 \
    && fc-cache --force \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin oneteam \
    && install -d -o oneteam -g oneteam /data
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
# Only the collected files are served, so the libraries need not stay. The key is for this command alone.
RUN --mount=type=bind,from=front-end,source=/app/node_modules,target=/app/node_modules \
    python -m onetteam.translations \
    && SECRET_KEY=for-collectstatic-only python manage.py collectstatic --noinput \
    && python -m compileall -q .
USER oneteam
# Uploaded files. Everything else of the file system may be read-only; /tmp is for uploads under way.
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "-m", "onetteam.web"]
