# avloc and its server, without root. Built of two stages: the first makes the wheel and an environment of pinned
# packages, the second holds that environment alone.
#
#   docker build -t avloc .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" avloc detect /data/my.mp4
#   docker run --rm -e AVLOC_TOKEN -p 127.0.0.1:8080:8080 -v avloc-state:/state avloc serve --host 0.0.0.0
ARG PYTHON=3.11.13-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY container/requirements.txt container/build-requirements.txt container/
RUN python -m venv /opt/avloc \
    && /opt/avloc/bin/pip install --no-deps -r container/requirements.txt \
    && pip install -r container/build-requirements.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && /opt/avloc/bin/pip install --no-deps wheels/*.whl \
    && /opt/avloc/bin/pip check \
    && /opt/avloc/bin/pip uninstall --yes setuptools pip

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --home-dir /state --shell /usr/sbin/nologin avloc \
    && install -d -o avloc -m 1777 /state /data
COPY --from=build /opt/avloc /opt/avloc
ENV PATH=/opt/avloc/bin:$PATH PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 XDG_STATE_HOME=/state HOME=/state
USER 10001
WORKDIR /data
VOLUME /state
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["avloc"]
CMD ["--help"]
