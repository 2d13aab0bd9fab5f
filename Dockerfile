# One image for every role: a node, the one-shot initialisation of a network, the command line.
# --build-arg ENGINE=cometbft: an image with CometBFT's program (docs/operating.md), built from the sources of its release.
ARG ENGINE=pbft
FROM golang:1.24-bookworm AS engine-cometbft
RUN CGO_ENABLED=0 go install github.com/cometbft/cometbft/cmd/cometbft@v0.38.25

FROM python:3.11-slim-bookworm AS engine-pbft
RUN mkdir -p /go/bin

FROM engine-${ENGINE} AS engine

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
# Exactly the locked files, by their hashes; the build tools, pip among them, stay in this stage.
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r requirements-build.lock \
 && python -m venv --without-pip /opt/coseal \
 && /opt/build/bin/pip --python /opt/coseal install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY ledger ledger
COPY consensus consensus
COPY contracts contracts
COPY node node
COPY audit audit
COPY coseal coseal
COPY console console
COPY examples examples
RUN /opt/build/bin/python -m hatchling build -t wheel -d /src/dist \
 && /opt/build/bin/pip --python /opt/coseal install --no-deps --no-index /src/dist/*.whl

FROM python:3.11-slim-bookworm
# The folders exist in the image so that fresh volumes mounted there belong to the user, not to root.
COPY --from=build /opt/coseal /opt/coseal
COPY --from=engine /go/bin/ /usr/local/bin/
RUN useradd --uid 10001 --create-home --home-dir /home/coseal coseal \
 && for node in regulator central-bank bank-a enterprise-a; do mkdir -p /network/nodes/$node; done \
 && mkdir -p /network/members && chown -R coseal:coseal /network
ENV PATH=/opt/coseal/bin:$PATH PYTHONUNBUFFERED=1
USER coseal
WORKDIR /network
# HTTP and the links between nodes. What is healthy depends on the role, so docker-compose.yml says it and not the image.
EXPOSE 8600 8601
ENTRYPOINT ["coseal"]
CMD ["--help"]
