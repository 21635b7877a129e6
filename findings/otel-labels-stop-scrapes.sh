#!/usr/bin/env bash
# The same instruments of OpenTelemetry, exported for Prometheus by the SDKs of two languages, and scraped.
#
# Versions: npm @opentelemetry/exporter-prometheus 0.301.0 with sdk-metrics 3.1.0; PyPI opentelemetry-exporter-prometheus 0.66b2
#           with opentelemetry-sdk 1.45.2; Debian prometheus 2.42.0+ds-5+deb12u1.
# Expected: both give one name to one instrument: dots become "_", the unit is added (OpenTelemetry, "Prometheus and OpenMetrics
#           Compatibility"). Where two attributes, `chat.channel` and `chat_channel`, become one label, both values are in it.
# Seen: 1. The JavaScript exporter writes the label twice in one sample. Prometheus then refuses the whole scrape: the target
#          that was up is down, all its metrics stop, and the cause is one message with one attribute more.
#       2. The Python exporter writes the label once and drops the first value without a word.
#       3. http.server.request.duration in seconds is http_server_request_duration_seconds from Python and
#          http_server_request_duration from JavaScript; a level with unit "ms" has _milliseconds from Python only.
# So one board does not show services of both languages, and a label from elsewhere can take a target down: rename labels in a view.
#
# Needs node, npm, python3 with venv, curl and Debian's apt-get and dpkg (the package is unpacked, not installed). Listens on ports
# of the loopback address. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install opentelemetry-exporter-prometheus==0.66b2 \
    opentelemetry-sdk==1.45.2
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @opentelemetry/exporter-prometheus@0.301.0 @opentelemetry/sdk-metrics@3.1.0 \
    @opentelemetry/api@1.10.0 >/dev/null
apt-get download prometheus=2.42.0+ds-5+deb12u1 >/dev/null 2>&1 && dpkg -x prometheus_*.deb debian
cat >js.mjs <<'JS'
import { createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
const free = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const [port, prometheus] = [await free(), await free()];
const exporter = new PrometheusExporter({ host: '127.0.0.1', port });
const meter = new MeterProvider({ readers: [exporter] }).getMeter('desk');
meter.createHistogram('http.server.request.duration', { unit: 's' }).record(0.2);
meter.createGauge('chat.wait', { unit: 'ms' }).record(12);
const messages = meter.createCounter('chat.messages');
messages.add(1, { 'chat.channel': 'web' });
process.on('SIGUSR2', () => messages.add(1, { 'chat.channel': 'web', chat_channel: 'mail' }));
writeFileSync('prometheus.yml', JSON.stringify({ global: { scrape_interval: '1s' },
  scrape_configs: [{ job_name: 'desk', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }] }));
setInterval(() => {}, 60_000);  // the exporter alone does not keep the process
writeFileSync('ports', `${port} ${prometheus}\n`);
JS
cat >py.py <<'PY'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import generate_latest
meter = MeterProvider(metric_readers=[PrometheusMetricReader()]).get_meter("desk")
meter.create_histogram("http.server.request.duration", unit="s").record(0.2)
meter.create_gauge("chat.wait", unit="ms").set(12)
messages = meter.create_counter("chat.messages")
messages.add(1, {"chat.channel": "web", "chat_channel": "mail"})
print(generate_latest().decode())
PY
node js.mjs & node=$!; until [ -s ports ]; do sleep 0.2; done
read -r port prometheus <ports
debian/usr/bin/prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address="127.0.0.1:$prometheus" \
    >said 2>&1 &
names() { grep -oE '^(http_server_request_duration\w*_sum|chat_wait\w*|chat_messages\w*\{[^}]*\})' | sed 's/,\?otel_scope[^,}]*//g'; }
target() {  # up or down, with the reason, once it has been scraped
    for _ in $(seq 60); do
        curl --silent "http://127.0.0.1:$prometheus/api/v1/targets" | grep -oE '"(lastError|health)":"([^"\\]|\\.)*"' >now || true
        if grep -q "\"$1\"" now; then break; fi
        sleep 1
    done
    paste -sd' ' now
}
{
    target up
    kill -USR2 "$node"
    target down
    echo 'JavaScript'; curl --silent "http://127.0.0.1:$port/metrics" | names
    echo 'Python'; python/bin/python py.py | names
} | tee seen
diff - seen <<'SEEN' && echo 'as stated'
"lastError":"" "health":"up"
"lastError":"label name \"chat_channel\" is not unique: invalid sample" "health":"down"
JavaScript
http_server_request_duration_sum
chat_wait
chat_messages_total{chat_channel="web"}
chat_messages_total{chat_channel="web",chat_channel="mail"}
Python
http_server_request_duration_seconds_sum
chat_wait_milliseconds
chat_messages_total{chat_channel="mail"}
SEEN
