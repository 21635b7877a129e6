#!/usr/bin/env bash
# The working days of December 2026 and January 2027 that two libraries call public holidays, for countries as a whole.
#
# Versions: npm date-holidays 3.37.0 (type `public`), PyPI holidays 0.109 (its default category, `public`).
# Expected: for national holidays a month ahead the newest versions of both say the same, or differ for far-off places.
# Seen: of ten countries seven differ, on a day from Monday to Friday. Only PyPI's has 7 December in Argentina, 28 December in
#       Bulgaria, 24 December in Finland and Hungary, 25 December in Taiwan. Only npm's has 28 December in Australia, and in
#       Ukraine Christmas and both days of the New Year, where PyPI's has no holiday at all. France, Germany and the United
#       States agree. Which of them a country's offices follow is not judged here.
# So a form in the browser that says "we are back on …" and a server that routes chats by the other library are a day apart.
#
# Needs node, npm and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install holidays==0.109
npm init -y >/dev/null; npm install --silent --no-audit --no-fund date-holidays@3.37.0 >/dev/null
export COUNTRIES='AR AU BG DE FI FR HU TW UA US'
cat >days.mjs <<'JS'
import Holidays from 'date-holidays';
const days = {};
for (const country of process.env.COUNTRIES.split(' ')) {
  const holidays = new Holidays(country);
  days[country] = [];
  for (let day = 0; day < 62; day++) {
    const date = new Date(Date.UTC(2026, 11, 1 + day)).toISOString().slice(0, 10);
    if ((holidays.isHoliday(`${date} 12:00:00`) || []).some(({ type }) => type === 'public')) days[country].push(date);
  }
}
console.log(JSON.stringify(days));
JS
cat >compare.py <<'PY'
import datetime, json, os, sys
import holidays
npm = json.load(sys.stdin)
winter = [datetime.date(2026, 12, 1) + datetime.timedelta(day) for day in range(62)]
for country in os.environ["COUNTRIES"].split():
    pypi = holidays.country_holidays(country)
    found = {"npm": npm[country], "PyPI": [str(day) for day in winter if day in pypi]}
    working = {name: {day for day in days if datetime.date.fromisoformat(day).weekday() < 5} for name, days in found.items()}
    only = [f"only {one} {' '.join(sorted(working[one] - working[other]))}"
            for one, other in (("npm", "PyPI"), ("PyPI", "npm")) if working[one] - working[other]]
    print(country, ", ".join(only) or "the same")
PY
node days.mjs | python/bin/python compare.py | tee seen
diff - seen <<'SEEN' && echo 'as stated'
AR only PyPI 2026-12-07
AU only npm 2026-12-28
BG only PyPI 2026-12-28
DE the same
FI only PyPI 2026-12-24
FR the same
HU only PyPI 2026-12-24
TW only PyPI 2026-12-25
UA only npm 2026-12-25 2027-01-01 2027-01-04
US the same
SEEN
