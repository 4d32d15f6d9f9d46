# An image with the library and its compiler wrapper on Debian 12: `docker build -t liballocs .`
#
# Stages, for `--target`: `toolchain` (the last, so the default) is a shell with allocscc, gcc, g++, gdb, the headers and
# examples; `runtime` has only the library and tools; `corpus` runs the regression tests.
#
# A tag moves with Debian's updates. To build on exactly one base image, name it by its digest:
#     docker build --build-arg DEBIAN_IMAGE=debian:bookworm-slim@sha256:… -t liballocs .
# `--build-arg SOURCE="$(git remote get-url origin)"` says in the labels where the checkout came from.
#
# The syntax is what every builder knows: Docker's legacy one, BuildKit, buildah and podman.
ARG DEBIAN_IMAGE=debian:bookworm-slim

# The toolchain of C and C++. Manuals and translations stay out, as they do in Debian's slim images.
FROM ${DEBIAN_IMAGE} AS compiler
COPY docker/slim.conf /etc/dpkg/dpkg.cfg.d/slim
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends g++ gcc gdb libc6-dev make \
 && rm -rf /var/cache/apt/* /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache /var/lib/apt/lists/* /var/log/*
# The default seccomp profile does not let gdb turn address space randomisation off.
RUN echo 'set disable-randomization off' >> /etc/gdb/gdbinit

# The products. The paths are the same in every build, and so are the products.
FROM compiler AS build
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends ca-certificates cargo-web rustc-web \
 && rm -rf /var/lib/apt/lists/*
ENV CARGO_HOME=/cargo CARGO_TARGET_DIR=/target
COPY docker/cargo.toml /cargo/config.toml
WORKDIR /liballocs
COPY . .
# Any user may go on with what was built here.
RUN cargo run --locked --quiet --package xtask -- install --prefix /usr/local --destdir /products \
 && chmod -R a+rwX /cargo /target

# `docker run IMAGE` builds the programs of the corpus, runs them under the library, and compares what it reports.
FROM build AS corpus
ENV HOME=/tmp
USER 1000:1000
CMD ["cargo", "xtask", "corpus"]

FROM ${DEBIAN_IMAGE} AS runtime
ARG VERSION=0.1.0
ARG SOURCE=
LABEL org.opencontainers.image.title="liballocs runtime" \
      org.opencontainers.image.description="Asks any pointer in a running C program what it points into: the library and tools" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /products/usr/local/ /usr/local/
ENV HOME=/tmp
WORKDIR /src
RUN chmod 1777 /src
VOLUME /src
USER 1000:1000
CMD ["allocs", "--help"]

FROM compiler AS toolchain
ARG VERSION=0.1.0
ARG SOURCE=
LABEL org.opencontainers.image.title="liballocs" \
      org.opencontainers.image.description="Asks any pointer in a running C program what it points into: library, tools and a C toolchain" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /products/usr/local/ /usr/local/
COPY docker/example /usr/local/bin/liballocs-example
ENV HOME=/tmp
WORKDIR /src
# A volume can be written to, and programs in it run, also with `--read-only --tmpfs /tmp` (a tmpfs is `noexec`).
RUN chmod 1777 /src
VOLUME /src
USER 1000:1000
CMD ["liballocs-example"]
