# One image for every role: a node, the one-shot initialisation of a network, the command line.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
# --build-arg COMPILED=1: an image with a compiled core (docs/operating.md); its tools stay in this stage too.
ARG COMPILED=0
COPY requirements.lock requirements-build.lock requirements-compile.lock ./
# Exactly the locked files, by their hashes; the build tools stay in this stage.
RUN python -m venv /opt/build && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock \
 && python -m venv /opt/coseal && /opt/coseal/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
RUN [ "$COMPILED" = 0 ] || { apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-compile.lock; }
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY ledger ledger
COPY consensus consensus
COPY contracts contracts
COPY node node
COPY audit audit
COPY coseal coseal
COPY console console
COPY examples examples
RUN COSEAL_COMPILED=$COMPILED /opt/build/bin/python -m hatchling build -t wheel -d /src/dist \
 && /opt/coseal/bin/pip install --no-cache-dir --no-deps --no-index /src/dist/*.whl

FROM python:3.11-slim-bookworm
# The folders exist in the image so that fresh volumes mounted there belong to the user, not to root.
COPY --from=build /opt/coseal /opt/coseal
RUN useradd --uid 10001 --create-home --home-dir /home/coseal coseal \
 && for node in regulator central-bank bank-a enterprise-a; do mkdir -p /network/nodes/$node; done \
 && mkdir -p /network/members && chown -R coseal:coseal /network
ENV PATH=/opt/coseal/bin:$PATH PYTHONUNBUFFERED=1
USER coseal
WORKDIR /network
ENTRYPOINT ["coseal"]
CMD ["--help"]
