#!/usr/bin/env bash
# What libraries that make links of addresses in a chat message take for the address.
#
# Versions: npm linkify-it 6.1.0, markdown-it 15.0.3 (which uses it), linkifyjs 4.4.0, autolinker 4.1.5; PyPI linkify-it-py 2.2.0,
#           bleach 6.4.0.
# Expected: punctuation behind an address ends it, in each script as for "." and ")"; linkify-it-py, a port, links what
#           linkify-it links; an address that a message writes with https is linked with https; "example.com" is a link.
# Seen: 1. linkifyjs, linkify-it-py and bleach take the Chinese, Japanese, Arabic and Hindi comma, stop and bracket, closing
#          quotes and the ellipsis into the link, with all words up to the next space: none of these links leads anywhere.
#          The Python port does not do what the JavaScript original and autolinker do.
#       2. Right behind a Chinese word bleach makes http://example.com/… of https://example.com/…, and linkify-it and its
#          port find nothing, though markdown-it, which uses linkify-it, does.
#       3. linkify-it 6, and so markdown-it 15, no longer links "example.com" and "www.example.com" (fuzzyLink is off); the port does.
#       4. All but linkify-it 6 and markdown-it link "Danke.Es geht", a full stop without a space, and "README.md".
# So the page, the mail and the export of one chat link different things: make links in one place, and try them in the visitors'
#   scripts.
#
# Needs node, npm and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install linkify-it-py==2.2.0 bleach==6.4.0
npm init -y >/dev/null
npm install --silent --no-audit --no-fund linkify-it@6.1.0 markdown-it@15.0.3 linkifyjs@4.4.0 autolinker@4.1.5 >/dev/null
cat >messages.json <<'JSON'
["see https://example.com/a, thanks", "请看 https://example.com/a，谢谢", "「https://example.com/a」を見て", "https://example.com/a؟ نعم",
 "https://example.com/a। धन्यवाद", "„https://example.com/a“ hier", "https://example.com/a… und dann", "请看https://example.com/a 谢谢",
 "example.com", "www.example.com", "Danke.Es geht", "README.md"]
JSON
cat >links.mjs <<'JS'
import { readFileSync, writeFileSync } from 'node:fs';
import * as autolinker from 'autolinker';
import { LinkifyIt } from 'linkify-it';
import * as linkify from 'linkifyjs';
import MarkdownIt from 'markdown-it';
const Autolinker = autolinker.default.default ?? autolinker.default;
const linkifyIt = new LinkifyIt();
const markdown = new MarkdownIt({ linkify: true });
const finders = {
  'linkify-it': (text) => (linkifyIt.match(text) ?? []).map((match) => match.url),
  'markdown-it': (text) => [...markdown.renderInline(text).matchAll(/href="([^"]*)"/g)].map((match) => decodeURI(match[1])),
  linkifyjs: (text) => linkify.find(text).map((match) => match.href),
  autolinker: (text) => Autolinker.parse(text, { phone: false }).map((match) => match.getAnchorHref()),
};
const found = JSON.parse(readFileSync('messages.json', 'utf8')).map((text) => [text,
  Object.fromEntries(Object.entries(finders).map(([name, find]) => [name, find(text)]))]);
writeFileSync('found.json', JSON.stringify(Object.fromEntries(found)));
JS
cat >links.py <<'PY'
import json, re
import bleach
from linkify_it import LinkifyIt
port = LinkifyIt()
finders = {
    "linkify-it-py": lambda text: [match.url for match in port.match(text) or []],
    "bleach": lambda text: re.findall('href="([^"]*)"', bleach.linkify(text)),
}
for text, links in json.load(open("found.json")).items():
    links |= {name: find(text) for name, find in finders.items()}
    print(text)
    for link in dict.fromkeys(" ".join(of) or "nothing" for of in links.values()):
        print(f"    {link}:", ", ".join(name for name, of in links.items() if (" ".join(of) or "nothing") == link))
PY
node links.mjs
python/bin/python links.py | tee seen
diff - seen <<'SEEN' && echo 'as stated'
see https://example.com/a, thanks
    https://example.com/a: linkify-it, markdown-it, linkifyjs, autolinker, linkify-it-py, bleach
请看 https://example.com/a，谢谢
    https://example.com/a: linkify-it, markdown-it, autolinker
    https://example.com/a，谢谢: linkifyjs, linkify-it-py, bleach
「https://example.com/a」を見て
    https://example.com/a: linkify-it, markdown-it, autolinker
    https://example.com/a」を見て: linkifyjs, linkify-it-py, bleach
https://example.com/a؟ نعم
    https://example.com/a: linkify-it, markdown-it, autolinker
    https://example.com/a؟: linkifyjs, linkify-it-py, bleach
https://example.com/a। धन्यवाद
    https://example.com/a: linkify-it, markdown-it, autolinker
    https://example.com/a।: linkifyjs, linkify-it-py, bleach
„https://example.com/a“ hier
    https://example.com/a: linkify-it, markdown-it, autolinker
    https://example.com/a“: linkifyjs, linkify-it-py, bleach
https://example.com/a… und dann
    https://example.com/a: linkify-it, markdown-it, autolinker
    https://example.com/a…: linkifyjs, linkify-it-py, bleach
请看https://example.com/a 谢谢
    nothing: linkify-it, linkify-it-py
    https://example.com/a: markdown-it, linkifyjs, autolinker
    http://example.com/a: bleach
example.com
    nothing: linkify-it, markdown-it
    http://example.com: linkifyjs, autolinker, linkify-it-py, bleach
www.example.com
    nothing: linkify-it, markdown-it
    http://www.example.com: linkifyjs, autolinker, linkify-it-py, bleach
Danke.Es geht
    nothing: linkify-it, markdown-it
    http://Danke.Es: linkifyjs, autolinker, linkify-it-py, bleach
README.md
    nothing: linkify-it, markdown-it
    http://README.md: linkifyjs, autolinker, linkify-it-py, bleach
SEEN
