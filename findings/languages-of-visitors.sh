#!/usr/bin/env bash
# Which of the languages that a widget has libraries choose for a visitor, by an Accept-Language as browsers send it.
#
# Versions: npm negotiator 1.1.0 (that of Express), @fluent/langneg 0.7.0, @formatjs/intl-localematcher 0.10.1; PyPI werkzeug 3.1.9
#           (that of Flask), babel 2.19.0, langcodes 3.5.1.
# Expected: they may differ in fine points; nobody gives a Taiwanese the script of the mainland or English where there is the script
#           of Taiwan, nor a Norwegian (nb) English where there is Norwegian (no).
# Seen: only intl-localematcher and langcodes choose as a person would. negotiator, reading "zh" as a prefix, gives Taiwan and Hong
#       Kong simplified characters; werkzeug and babel give them English. Norway gets English from four of six. langneg gives Serbia
#       Latin letters and Mexico the Spanish of Spain. werkzeug matches a bare language only with a bare one: Mexico, Angola and
#       Austria get English, and a Briton, who asks for English before German, gets German where there is "en-US".
# So two servers of one shop greet the same visitor in two languages, and neither is his: match by CLDR's data, or list the
#   languages under every name that browsers send.
#
# Needs node, npm and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install werkzeug==3.1.9 babel==2.19.0 langcodes==3.5.1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund negotiator@1.1.0 @fluent/langneg@0.7.0 @formatjs/intl-localematcher@0.10.1 >/dev/null
cat >visitors.json <<'JSON'
[
  ["Taiwan", "zh-TW,zh;q=0.9,en;q=0.8", ["en", "zh-Hans", "zh-Hant"]],
  ["Hong Kong", "zh-HK,zh;q=0.9,en;q=0.8", ["en", "zh-CN", "zh-TW"]],
  ["Norway", "nb-NO,nb;q=0.9,en;q=0.8", ["en", "no"]],
  ["Mexico", "es-MX,es;q=0.9,en;q=0.8", ["en", "es-ES", "es-419"]],
  ["Angola", "pt-AO,pt;q=0.9,en;q=0.8", ["en", "pt-BR", "pt-PT"]],
  ["Serbia", "sr-RS,sr;q=0.9,en;q=0.8", ["en", "sr-Latn", "sr-Cyrl"]],
  ["Austria", "de-AT,de;q=0.9,en;q=0.8", ["en", "de-DE"]],
  ["Britain", "en-GB,en;q=0.9,de;q=0.8", ["de", "en-US"]]
]
JSON
cat >choose.mjs <<'JS'
import { readFileSync, writeFileSync } from 'node:fs';
import { negotiateLanguages } from '@fluent/langneg';
import { match } from '@formatjs/intl-localematcher';
import Negotiator from 'negotiator';
const visitors = JSON.parse(readFileSync('visitors.json', 'utf8'));
writeFileSync('chosen.json', JSON.stringify(visitors.map(([, header, offered]) => {
  const wanted = header.split(',').map((part) => part.split(';')[0]);
  const [defaultLocale] = offered;
  return {
    negotiator: new Negotiator({ headers: { 'accept-language': header } }).language(offered),
    langneg: negotiateLanguages(wanted, offered, { strategy: 'lookup', defaultLocale })[0],
    localematcher: match(wanted, offered, defaultLocale),
  };
})));
JS
cat >choose.py <<'PY'
import json
from babel import negotiate_locale
import langcodes
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header
for (who, header, offered), chosen in zip(json.load(open("visitors.json")), json.load(open("chosen.json"))):
    wanted = [part.split(";")[0] for part in header.split(",")]
    chosen["werkzeug"] = parse_accept_header(header, LanguageAccept).best_match(offered)
    chosen["babel"] = negotiate_locale(wanted, offered, sep="-")
    chosen["langcodes"] = langcodes.closest_supported_match(wanted[0], offered)
    print(f"{who}, {header} of {' '.join(offered)}")
    for language in sorted({language or "nothing" for language in chosen.values()}):
        print(f"    {language}:", *[name for name, of in chosen.items() if (of or "nothing") == language])
PY
node choose.mjs
python/bin/python choose.py | tee seen
diff - seen <<'SEEN' && echo 'as stated'
Taiwan, zh-TW,zh;q=0.9,en;q=0.8 of en zh-Hans zh-Hant
    en: werkzeug babel
    zh-Hans: negotiator
    zh-Hant: langneg localematcher langcodes
Hong Kong, zh-HK,zh;q=0.9,en;q=0.8 of en zh-CN zh-TW
    en: werkzeug babel
    zh-CN: negotiator
    zh-TW: langneg localematcher langcodes
Norway, nb-NO,nb;q=0.9,en;q=0.8 of en no
    en: negotiator langneg werkzeug babel
    no: localematcher langcodes
Mexico, es-MX,es;q=0.9,en;q=0.8 of en es-ES es-419
    en: werkzeug
    es-419: localematcher langcodes
    es-ES: negotiator langneg babel
Angola, pt-AO,pt;q=0.9,en;q=0.8 of en pt-BR pt-PT
    en: werkzeug
    pt-BR: negotiator langneg
    pt-PT: localematcher babel langcodes
Serbia, sr-RS,sr;q=0.9,en;q=0.8 of en sr-Latn sr-Cyrl
    en: werkzeug babel
    sr-Cyrl: localematcher langcodes
    sr-Latn: negotiator langneg
Austria, de-AT,de;q=0.9,en;q=0.8 of en de-DE
    de-DE: negotiator langneg localematcher babel langcodes
    en: werkzeug
Britain, en-GB,en;q=0.9,de;q=0.8 of de en-US
    de: werkzeug
    en-US: negotiator langneg localematcher babel langcodes
SEEN
