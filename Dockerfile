# The live server: no sandbox, every certificate verified, the console embedded.
FROM rust:1-bookworm AS build
WORKDIR /kabar
COPY . .
RUN cargo run -- --live --release --build-only

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /var/lib/kabar kabar
COPY --from=build /kabar/target/release/kabar /usr/local/bin/kabar
USER kabar
ENV KABAR_LISTEN=0.0.0.0:8080 KABAR_DATA_DIR=/var/lib/kabar KABAR_LOG_FORMAT=json
VOLUME /var/lib/kabar
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["curl", "-fsS", "http://127.0.0.1:8080/health/live"]
# The server finishes what is on the wire before it ends.
STOPSIGNAL SIGTERM
ENTRYPOINT ["kabar"]
CMD ["serve"]
