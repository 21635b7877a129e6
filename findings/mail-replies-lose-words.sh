#!/usr/bin/env bash
# What parsers of e-mail replies leave of a visitor's answer to a transcript, when it is not only prose.
#
# Versions: npm email-reply-parser 2.3.9, node-email-reply-parser 0.1.4; PyPI email-reply-parser 0.5.12, mail-parser-reply 1.36.
# Expected: they cut the quoted message ("On … wrote:" and the lines with ">") and a signature after a line "-- " (RFC 3676);
#           what the visitor wrote above that stays. A header block counts as one when it has an address or stands at the end.
# Seen: only npm's email-reply-parser keeps all five answers.
#       trip: "From: Berlin / To: Hamburg / Date: …" is the head of a forwarded mail to both Python packages; the question
#             after it is gone. mail-parser-reply does so with "Von: / An:", too.
#       told: with "On Monday your colleague wrote:" in the first line, PyPI's email-reply-parser returns an empty text.
#       list, rule: after "-- first", or a line of underscores, it and node-email-reply-parser drop the rest.
# So a desk that reads answers by mail loses orders without a trace: keep the whole mail beside what the parser left.
#
# Needs node, npm and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install email-reply-parser==0.5.12 mail-parser-reply==1.36
npm init -y >/dev/null; npm install --silent --no-audit --no-fund email-reply-parser@2.3.9 node-email-reply-parser@0.1.4 >/dev/null
cat >answers.json <<'JSON'
{
  "plain": "It works now.",
  "trip": "Please change my trip.\n\nFrom: Berlin\nTo: Hamburg\nDate: 12 December\n\nIs order 4711 enough for that?",
  "Reise": "Bitte umbuchen.\n\nVon: Berlin\nAn: Hamburg\n\nBestellung 4711, geht das?",
  "told": "On Monday your colleague wrote:\nthe parcel is on its way.\n\nIt is not here. My order is 4711.",
  "list": "My wishes:\n\n-- first, cancel 4711\n-- second, send 4712\n\nThank you",
  "rule": "The parcel came late.\n\n____________\n\nPlease cancel 4711."
}
JSON
cat >npm.mjs <<'JS'
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
const require = createRequire(import.meta.url);
const quoted = '\n\nOn Tue, Dec 1, 2026 at 9:00 AM Desk <desk@example.com> wrote:\n> How can we help?\n';
const { default: Crisp = require('email-reply-parser') } = require('email-reply-parser');
const older = require('node-email-reply-parser');
const parsers = {
  'npm email-reply-parser': (text) => new Crisp().parseReply(text),
  'npm node-email-reply-parser': (text) => older(text, true),
};
for (const [name, parse] of Object.entries(parsers)) {
  for (const [about, text] of Object.entries(JSON.parse(readFileSync('answers.json', 'utf8')))) {
    const left = parse(text + quoted).trim();
    console.log(`${name}, ${about}: ${left === text ? 'whole' : `left ${JSON.stringify(left)}`}`);
  }
}
JS
cat >pypi.py <<'PY'
import json
import email_reply_parser, mailparser_reply
quoted = "\n\nOn Tue, Dec 1, 2026 at 9:00 AM Desk <desk@example.com> wrote:\n> How can we help?\n"
parsers = {
    "PyPI email-reply-parser": email_reply_parser.EmailReplyParser.parse_reply,
    "PyPI mail-parser-reply": mailparser_reply.EmailReplyParser(languages=["en", "de"]).parse_reply,
}
for name, parse in parsers.items():
    for about, text in json.load(open("answers.json")).items():
        left = parse(text + quoted).strip()
        print(f"{name}, {about}: " + ("whole" if left == text else f"left {json.dumps(left)}"))
PY
{ node npm.mjs; python/bin/python pypi.py; } | tee seen
diff - seen <<'SEEN' && echo 'as stated'
npm email-reply-parser, plain: whole
npm email-reply-parser, trip: whole
npm email-reply-parser, Reise: whole
npm email-reply-parser, told: whole
npm email-reply-parser, list: whole
npm email-reply-parser, rule: whole
npm node-email-reply-parser, plain: whole
npm node-email-reply-parser, trip: whole
npm node-email-reply-parser, Reise: whole
npm node-email-reply-parser, told: whole
npm node-email-reply-parser, list: left "My wishes:"
npm node-email-reply-parser, rule: left "The parcel came late."
PyPI email-reply-parser, plain: whole
PyPI email-reply-parser, trip: left "Please change my trip."
PyPI email-reply-parser, Reise: whole
PyPI email-reply-parser, told: left ""
PyPI email-reply-parser, list: left "My wishes:"
PyPI email-reply-parser, rule: left "The parcel came late."
PyPI mail-parser-reply, plain: whole
PyPI mail-parser-reply, trip: left "Please change my trip."
PyPI mail-parser-reply, Reise: left "Bitte umbuchen."
PyPI mail-parser-reply, told: whole
PyPI mail-parser-reply, list: whole
PyPI mail-parser-reply, rule: whole
SEEN
