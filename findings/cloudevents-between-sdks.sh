#!/usr/bin/env bash
# One chat event on its way between the CloudEvents SDKs of two languages, as HTTP headers and body (binary mode).
#
# Versions: npm cloudevents 10.0.0, PyPI cloudevents 2.2.0; CloudEvents 1.0.2 with its HTTP binding.
# Expected: subject and time arrive as they were sent (the binding, 3.1.3.2, has header values percent-encoded and decoded);
#           an event without the optional `time` has none at the receiver.
# Seen: 1. The JavaScript SDK neither encodes nor decodes: "Łukasz" cannot be sent by it at all (TypeError of Headers), a
#          subject "order%2F12" of it is "order/12" in Python, and Python's "Łukasz" is "%C5%81ukasz" in JavaScript.
#          In the Python package `cloudevents.core` decodes and `cloudevents.v1`, which it ships beside it, does not.
#       2. The JavaScript SDK shows .123456Z in the `time` of an event made by it, writes .123Z, and reads .123Z.
#       3. Both SDKs give a received event without `time` the time of its reading, so that each try of a delivery has another.
# So keep to ASCII without "%" in header attributes or use structured mode, and never rely on a `time` that you did not send.
#
# Needs node, npm and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install cloudevents==2.2.0
npm init -y >/dev/null; npm install --silent --no-audit --no-fund cloudevents@10.0.0 >/dev/null
cat >js.mjs <<'JS'
import sdk from 'cloudevents';
import { readFileSync, writeFileSync } from 'node:fs';
const { CloudEvent, HTTP } = sdk;
const bare = { 'content-type': 'application/json', 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/desk', 'ce-type': 'chat' };
const event = (subject) => new CloudEvent({ id: '1', source: '/desk', type: 'chat', time: '2026-12-01T09:00:00.123456Z', subject, data: {} });
if (process.argv[2] === 'write') {
  const { headers } = HTTP.binary(event('order%2F12'));
  console.log('JavaScript has', event('order').time, 'and writes', headers['ce-time'], headers['ce-subject']);
  writeFileSync('from-js.json', JSON.stringify(headers));
  try {
    new Headers(HTTP.binary(event('Łukasz')).headers);
    console.log('JavaScript sends Łukasz');
  } catch (error) {
    console.log('JavaScript on Łukasz:', error.name);
  }
} else {
  const read = (headers) => HTTP.toEvent({ headers, body: '{}' });
  const { subject, time } = read(JSON.parse(readFileSync('from-python.json', 'utf8')));
  console.log('JavaScript reads', subject, time);
  console.log('JavaScript, no time sent:', Math.abs(Date.now() - Date.parse(read(bare).time)) < 60_000 ? 'the present time' : 'other');
}
JS
cat >py.py <<'PY'
import json
from datetime import datetime, timezone
from cloudevents.core.bindings.http import HTTPMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.http import from_http

def read(headers):
    return from_binary(HTTPMessage(headers=headers, body=b"{}"), JSONFormat()).get_attributes()

sent = json.load(open("from-js.json"))
print("Python reads", read(sent)["subject"], read(sent)["time"].isoformat())
print("Python's v1 reads", from_http(sent, b"{}")["subject"])
bare = {key: value for key, value in sent.items() if key not in ("ce-time", "ce-subject")}
now = datetime.now(timezone.utc)
print("Python, no time sent:", "the present time" if abs((read(bare)["time"] - now).total_seconds()) < 60 else "other")
attributes = {"id": "1", "source": "/desk", "type": "chat", "specversion": "1.0", "subject": "Łukasz",
              "time": datetime(2026, 12, 1, 9, 0, 0, 123456, timezone.utc)}
headers = to_binary(CloudEvent(attributes=attributes, data={}), JSONFormat()).headers
print("Python writes", headers["ce-time"], headers["ce-subject"])
json.dump(headers | {"content-type": "application/json"}, open("from-python.json", "w"))
PY
{ node js.mjs write; python/bin/python py.py; node js.mjs read; } | tee seen
diff - seen <<'SEEN' && echo 'as stated'
JavaScript has 2026-12-01T09:00:00.123456Z and writes 2026-12-01T09:00:00.123Z order%2F12
JavaScript on Łukasz: TypeError
Python reads order/12 2026-12-01T09:00:00.123000+00:00
Python's v1 reads order%2F12
Python, no time sent: the present time
Python writes 2026-12-01T09:00:00.123456Z %C5%81ukasz
JavaScript reads %C5%81ukasz 2026-12-01T09:00:00.123Z
JavaScript, no time sent: the present time
SEEN
