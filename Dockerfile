# The image of both services and of the command line: one binary, `patron`.
#
#   docker build -t patron .
#   docker build -t patron --build-arg BINARY=copied .     takes ./.docker/patron instead of building it
#
# BINARY names the stage that the binary comes from.
ARG BUILD_IMAGE=rust:1.95-bookworm
ARG RUN_IMAGE=debian:bookworm-slim
ARG BINARY=built

FROM ${BUILD_IMAGE} AS built
