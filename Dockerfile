# The image of both services and of the command line: one binary, `patron`, run by an ordinary user.
#
#   docker build -t patron .
#
# BUILD_IMAGE has the Rust toolchain that rust-toolchain.toml names, a C++ compiler and make.
ARG BUILD_IMAGE=rust:1.95-bookworm
ARG RUN_IMAGE=debian:bookworm-slim

# What the binary runs in. First, so that `--target runtime` builds it alone.
FROM ${RUN_IMAGE} AS runtime
RUN groupadd --gid 10001 patron \
 && useradd --uid 10001 --gid patron --no-create-home --home-dir /data --shell /usr/sbin/nologin patron \
 && install -d -o patron -g patron -m 0750 /data /keys
USER 10001:10001
WORKDIR /data
EXPOSE 7401 7402
ENTRYPOINT ["patron"]
CMD ["--help"]

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p patron

FROM runtime
COPY --from=build /src/target/release/patron /usr/local/bin/patron
