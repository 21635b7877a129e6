#!/usr/bin/env bash
# A weekly shift in a calendar file that one library writes with its time zone, read by libraries of two languages.
#
# Versions: PyPI icalendar 7.3.0 with tzdata 2026.6, vobject 0.9.9 with python-dateutil 2.9.0.post0; npm ical.js 2.2.1.
# Expected: 9:00 in Berlin is 9:00 for every reader that goes by the VTIMEZONE in the file, in winter and in summer: an RDATE may
#           hold many times, separated by commas (RFC 5545, 3.8.5.2).
# Seen: icalendar's add_missing_timezones writes the changes of a zone as two RDATE lines with 57 times each. ical.js and vobject
#       use the first time of each line only, so both stay on winter time: each shift of the summer is an hour late. With one
#       RDATE line for each time, or with RRULEs, they are right; dateutil's tzical, which vobject uses, is right with all three.
#       vobject keeps the first zone of a name for the process: after such a file it reads good ones wrongly, too.
# So calendars that a Python desk sends are an hour off from March on in pages and mail programs built on ical.js, the winter
#   shows nothing, and no error says so: write zones by RRULEs, and try July as well as December.
#
# Needs node, npm and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install icalendar==7.3.0 tzdata==2026.6 \
    vobject==0.9.9 python-dateutil==2.9.0.post0
npm init -y >/dev/null; npm install --silent --no-audit --no-fund ical.js@2.2.1 >/dev/null
cat >write.py <<'PY'
import pathlib, re, zoneinfo
from datetime import datetime, timezone
zoneinfo.reset_tzpath([])  # the package's data, not the machine's
from icalendar import Calendar, Event

berlin = zoneinfo.ZoneInfo("Europe/Berlin")
shift = Event.new(uid="1@desk.example", summary="shift", stamp=datetime(2026, 12, 1, tzinfo=timezone.utc),
                  start=datetime(2026, 12, 7, 9, tzinfo=berlin), end=datetime(2026, 12, 7, 17, tzinfo=berlin))
shift.add("rrule", {"freq": "weekly", "count": 40})
calendar = Calendar()
calendar.add("prodid", "-//desk//chat//EN")
calendar.add("version", "2.0")
calendar.add_component(shift)
calendar.add_missing_timezones()
written = calendar.to_ical().decode()
pathlib.Path("many.ics").write_text(written, newline="")
unfolded = written.replace("\r\n ", "")
lines = unfolded.split("\r\n")
print("RDATE lines with", *[line.count(",") + 1 for line in lines if line.startswith("RDATE")], "times")
single = lambda line: "\r\n".join("RDATE:" + time for time in line[6:].split(",")) if line.startswith("RDATE:") else line
pathlib.Path("single.ics").write_text("\r\n".join(map(single, lines)), newline="")
rules = """BEGIN:VTIMEZONE\nTZID:Europe/Berlin
BEGIN:DAYLIGHT\nDTSTART:19810329T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:DAYLIGHT
BEGIN:STANDARD\nDTSTART:19961027T030000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD
END:VTIMEZONE""".replace("\n", "\r\n")
pathlib.Path("rules.ics").write_text(re.sub("BEGIN:VTIMEZONE.*END:VTIMEZONE", rules, unfolded, flags=re.DOTALL), newline="")
PY
cat >read.py <<'PY'
import io, re, sys
from datetime import timezone
import vobject
from dateutil import tz
for name in sys.argv[1:]:
    text = open(f"{name}.ics", newline="").read()
    berlin = tz.tzical(io.StringIO(re.search("BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n", text, re.DOTALL)[0])).get()
    shift = vobject.readOne(text).vevent
    days = [day for day in shift.getrruleset(addRDate=True) if (day.month, day.day) in ((12, 14), (7, 12))]
    utc = lambda day: day.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%MZ")
    if len(sys.argv) == 2:
        print(f"dateutil, {name}:", *[utc(day.replace(tzinfo=berlin)) for day in days])
    print(f"vobject, {name}{'' if name == sys.argv[1] else ' after ' + sys.argv[1]}:", *map(utc, days))
PY
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import ICAL from 'ical.js';
for (const name of ['many', 'single', 'rules']) {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(`${name}.ics`, 'utf8')));
  const times = new ICAL.Event(calendar.getFirstSubcomponent('vevent')).iterator();
  const days = [];
  for (let time = times.next(); time; time = times.next()) days.push(time.toJSDate().toISOString().replace(':00.000', ''));
  console.log(`ical.js, ${name}:`, ...days.filter((day) => /-(12-14|07-12)T/.test(day)));
}
JS
{ python/bin/python write.py; for name in many single rules 'many rules'; do python/bin/python read.py $name; done; node read.mjs; } | tee seen
diff - seen <<'SEEN' && echo 'as stated'
RDATE lines with 57 57 times
dateutil, many: 2026-12-14T08:00Z 2027-07-12T07:00Z
vobject, many: 2026-12-14T08:00Z 2027-07-12T08:00Z
dateutil, single: 2026-12-14T08:00Z 2027-07-12T07:00Z
vobject, single: 2026-12-14T08:00Z 2027-07-12T07:00Z
dateutil, rules: 2026-12-14T08:00Z 2027-07-12T07:00Z
vobject, rules: 2026-12-14T08:00Z 2027-07-12T07:00Z
vobject, many: 2026-12-14T08:00Z 2027-07-12T08:00Z
vobject, rules after many: 2026-12-14T08:00Z 2027-07-12T08:00Z
ical.js, many: 2026-12-14T08:00Z 2027-07-12T08:00Z
ical.js, single: 2026-12-14T08:00Z 2027-07-12T07:00Z
ical.js, rules: 2026-12-14T08:00Z 2027-07-12T07:00Z
SEEN
