#!/usr/bin/env bash
# What AsyncAPI's parser checks of a payload schema, by the schemaFormat that the document names.
#
# Versions: npm @asyncapi/parser 3.6.6 with @asyncapi/specs 6.11.1, AsyncAPI documents of 3.0.0 and 3.1.0.
# Expected: an unknown schemaFormat is reported (the parser has a diagnostic for it), and a schema that names JSON Schema
#           draft 2020-12 or OpenAPI 3.1 is either checked by that draft or reported as not checked.
# Seen: without a schemaFormat and with draft-07 a schema of `"type": "nonsense"` is an error. With draft 2020-12, 2019-09,
#       OpenAPI 3.1 and a made-up media type the same schema passes, without any error or warning about it.
#       A boolean payload schema (`true`) is an error without a schemaFormat and accepted with draft-07.
#       A description beside a $ref is lost: the referenced one takes its place, which OpenAPI 3.1 keeps.
# So a document that states the draft truthfully is not checked at all: check payload schemas by a validator of their draft.
#
# Needs node and npm. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
npm init -y >/dev/null; npm install --silent --no-audit --no-fund @asyncapi/parser@3.6.6 >/dev/null
cat >try.mjs <<'JS'
import { Parser } from '@asyncapi/parser';
const parser = new Parser();
const parse = async (asyncapi, payload, components = {}) => parser.parse(JSON.stringify({
  asyncapi, info: { title: 'chat', version: '1.0.0' }, components,
  channels: { stream: { address: '/stream', messages: { frame: { payload } } } },
  operations: { send: { action: 'send', channel: { $ref: '#/channels/stream' } } },
}));
const about = (diagnostics) => diagnostics.filter((d) => d.path.includes('payload') || /schema/i.test(d.message)).length;
const formats = [undefined, 'application/schema+json;version=draft-07', 'application/schema+json;version=draft-2019-09',
  'application/schema+json;version=draft-2020-12', 'application/vnd.oai.openapi+json;version=3.1.0', 'application/x-made-up'];
for (const version of ['3.0.0', '3.1.0']) {
  for (const schemaFormat of formats) {
    const line = [version, schemaFormat ?? 'none'];
    for (const schema of [{ type: 'nonsense' }, true]) {
      const { document, diagnostics } = await parse(version, schemaFormat ? { schemaFormat, schema } : schema);
      line.push(document ? `taken with ${about(diagnostics)} remarks` : 'error');
    }
    console.log(line.join(' | '));
  }
}
const beside = { $ref: '#/components/schemas/Text', description: 'beside' };
const { document } = await parse('3.0.0', beside, { schemas: { Text: { type: 'string', description: 'referenced' } } });
console.log('description:', document.allMessages()[0].payload().description());
JS
node try.mjs | tee seen
diff - seen <<'SEEN' && echo 'as stated'
3.0.0 | none | error | error
3.0.0 | application/schema+json;version=draft-07 | error | taken with 0 remarks
3.0.0 | application/schema+json;version=draft-2019-09 | taken with 0 remarks | taken with 0 remarks
3.0.0 | application/schema+json;version=draft-2020-12 | taken with 0 remarks | taken with 0 remarks
3.0.0 | application/vnd.oai.openapi+json;version=3.1.0 | taken with 0 remarks | taken with 0 remarks
3.0.0 | application/x-made-up | taken with 0 remarks | taken with 0 remarks
3.1.0 | none | error | error
3.1.0 | application/schema+json;version=draft-07 | error | taken with 0 remarks
3.1.0 | application/schema+json;version=draft-2019-09 | taken with 0 remarks | taken with 0 remarks
3.1.0 | application/schema+json;version=draft-2020-12 | taken with 0 remarks | taken with 0 remarks
3.1.0 | application/vnd.oai.openapi+json;version=3.1.0 | taken with 0 remarks | taken with 0 remarks
3.1.0 | application/x-made-up | taken with 0 remarks | taken with 0 remarks
description: referenced
SEEN
