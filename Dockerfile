# syntax=docker/dockerfile:1
# Stage 1 builds the same wheel that is published and installs it, with the locked versions of everything else.
FROM python:3.13-slim AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN python -m pip install --no-cache-dir uv
WORKDIR /src
COPY . .
RUN uv build --wheel --out-dir /dist \
 && uv export --quiet --frozen --no-dev --all-extras --no-emit-project --output-file /dist/requirements.txt \
 && python -m venv /opt/metricwatch \
 && uv pip install --python /opt/metricwatch/bin/python --require-hashes --requirement /dist/requirements.txt \
 && uv pip install --python /opt/metricwatch/bin/python --no-deps /dist/*.whl

# Stage 2 holds nothing but Python, that environment and an unprivileged user; it runs with a read-only root.
FROM python:3.13-slim
RUN groupadd --gid 10001 metricwatch \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/metricwatch metricwatch \
 && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/metricwatch \
 && install --directory /etc/metricwatch
COPY --from=build /opt/metricwatch /opt/metricwatch
ENV PATH=/opt/metricwatch/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    METRICWATCH_CONFIG=/etc/metricwatch \
    METRICWATCH_STATE_URL=sqlite:////var/lib/metricwatch/metricwatch.db \
    METRICWATCH_LOG_FORMAT=json
USER 10001:10001
WORKDIR /var/lib/metricwatch
VOLUME ["/var/lib/metricwatch"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8050/healthz', timeout=4)"]
ENTRYPOINT ["metricwatch"]
CMD ["run"]
