# syntax=docker/dockerfile:1
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Of this package alone: with the whole workspace, what only tests use would be compiled in.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package api --bin livechatlog \
    && cp target/release/livechatlog /livechatlog

FROM debian:bookworm-slim
RUN groupadd --gid 10001 livechatlog \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin livechatlog \
    && install --directory --owner=livechatlog --group=livechatlog --mode=0700 /data
COPY --from=build /livechatlog /usr/local/bin/livechatlog
USER 10001:10001
ENV HOST=0.0.0.0 PORT=3000 DATA_DIR=/data LOG_FORMAT=json
VOLUME /data
EXPOSE 3000
# Requests that are under way have 30 seconds: stop with `docker stop --time 35`, as compose.yaml does.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /livez HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["livechatlog"]
CMD ["serve"]
