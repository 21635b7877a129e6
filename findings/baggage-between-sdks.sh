#!/usr/bin/env bash
# One value of W3C baggage (the header `baggage`, with which a trace carries a visitor's city or number), written by the
# OpenTelemetry SDK of one language and read by that of another.
#
# Versions: npm @opentelemetry/core 2.12.1 with @opentelemetry/api 1.9.1; PyPI opentelemetry-api 1.45.2; crates opentelemetry and
#           opentelemetry_sdk 0.33.1.
# Expected: what one writes the others read, since the W3C's text names one encoding: percent signs and hexadecimal digits, no
#           "+" for a space, and properties behind a semicolon that are no part of the value.
# Seen: 1. Python encodes as forms do: "New York" arrives in JavaScript and Rust as "New+York".
#       2. Python decodes so, too: the "+49 30 1234" that Rust writes as the W3C allows arrives there as "49 30 1234".
#       3. Rust does not encode the percent sign: of "50% off" JavaScript reads nothing at all.
#       4. Python takes a property for a part of the value.
# So a city or number in traces, logs and metrics has another spelling behind each service, and rows do not meet; keep baggage to
#   letters, digits, "-" and "_", or encode it yourself.
#
# Needs node, npm, python3 with venv and cargo. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install opentelemetry-api==1.45.2
npm init -y >/dev/null; npm install --silent --no-audit --no-fund @opentelemetry/core@2.12.1 @opentelemetry/api@1.9.1 >/dev/null
mkdir -p rust/src && cat >rust/Cargo.toml <<'TOML'
[package]
name = "baggage"
version = "0.1.0"
edition = "2024"
[dependencies]
opentelemetry = { version = "=0.33.1", default-features = false, features = ["trace"] }
opentelemetry_sdk = { version = "=0.33.1", default-features = false, features = ["trace"] }
TOML
# Each program: `write VALUE` prints the header for visitor=VALUE, `read HEADER` what it finds under visitor.
cat >rust/src/main.rs <<'RS'
use opentelemetry::{Context, KeyValue, baggage::BaggageExt as _, propagation::TextMapPropagator as _};
use opentelemetry_sdk::propagation::BaggagePropagator;
use std::collections::HashMap;
fn main() {
    let [_, what, text] = std::env::args().collect::<Vec<_>>().try_into().unwrap();
    if what == "write" {
        let mut headers = HashMap::new();
        BaggagePropagator::new().inject_context(&Context::new().with_baggage([KeyValue::new("visitor", text)]), &mut headers);
        println!("{}", headers["baggage"]);
    } else {
        let context = BaggagePropagator::new().extract(&HashMap::from([("baggage".to_owned(), text)]));
        println!("{}", context.baggage().get("visitor").map_or("nothing".to_owned(), ToString::to_string));
    }
}
RS
cat >baggage.mjs <<'JS'
import { defaultTextMapGetter, defaultTextMapSetter, propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import { W3CBaggagePropagator } from '@opentelemetry/core';
const [what, text] = process.argv.slice(2);
const propagator = new W3CBaggagePropagator();
if (what === 'write') {
  const headers = {};
  const baggage = propagation.createBaggage({ visitor: { value: text } });
  propagator.inject(propagation.setBaggage(ROOT_CONTEXT, baggage), headers, defaultTextMapSetter);
  console.log(headers.baggage);
} else {
  const context = propagator.extract(ROOT_CONTEXT, { baggage: text }, defaultTextMapGetter);
  console.log(propagation.getBaggage(context)?.getEntry('visitor')?.value ?? 'nothing');
}
JS
cat >baggage.py <<'PY'
import sys
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
_, what, text = sys.argv
if what == "write":
    headers = {}
    W3CBaggagePropagator().inject(headers, context=baggage.set_baggage("visitor", text))
    print(headers["baggage"])
else:
    print(baggage.get_baggage("visitor", W3CBaggagePropagator().extract({"baggage": text})) or "nothing")
PY
(cd rust && cargo build --quiet && cp "${CARGO_TARGET_DIR:-target}/debug/baggage" ../baggage)
javascript() { node baggage.mjs "$@"; }; python() { python/bin/python baggage.py "$@"; }; rust() { ./baggage "$@"; }
readers() { # HEADER WRITTEN: what each makes of it
    for reader in javascript python rust; do
        local got; got=$($reader read "$1")
        echo -n " | $reader: $([ "$got" = "$2" ] && echo right || echo "\"$got\"")"
    done
    echo
}
{
    for value in 'New York' '+49 30 1234' '50% off'; do
        for writer in javascript python rust; do
            header=$($writer write "$value")
            echo "$writer writes $header$(readers "$header" "$value")"
        done
    done
    # A property behind the value, as the W3C's text has it.
    header='visitor=Vera;since=2026'; echo "given $header$(readers "$header" Vera)"
} | tee seen
diff - seen <<'SEEN' && echo 'as stated'
javascript writes visitor=New%20York | javascript: right | python: right | rust: right
python writes visitor=New+York | javascript: "New+York" | python: right | rust: "New+York"
rust writes visitor=New%20York | javascript: right | python: right | rust: right
javascript writes visitor=%2B49%2030%201234 | javascript: right | python: right | rust: right
python writes visitor=%2B49+30+1234 | javascript: "+49+30+1234" | python: right | rust: "+49+30+1234"
rust writes visitor=+49%2030%201234 | javascript: right | python: "49 30 1234" | rust: right
javascript writes visitor=50%25%20off | javascript: right | python: right | rust: right
python writes visitor=50%25+off | javascript: "50%+off" | python: right | rust: "50%+off"
rust writes visitor=50%%20off | javascript: "nothing" | python: right | rust: right
given visitor=Vera;since=2026 | javascript: right | python: "Vera;since=2026" | rust: right
SEEN
