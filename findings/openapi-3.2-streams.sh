#!/usr/bin/env bash
# What generators of TypeScript clients make of a stream that an OpenAPI 3.2 document describes by `itemSchema`.
#
# Versions: npm openapi-typescript 7.13.0, @hey-api/openapi-ts 0.99.0, swagger-typescript-api 13.13.0, on Node.js 24.21.0;
#           PyPI openapi-spec-validator 0.9.0, which finds the documents valid.
# Expected: a generator that takes a 3.2 document types the items of the stream (OpenAPI 3.2.0, Media Type Object); one that
#           does not know 3.2 refuses it or says so.
# Seen: all three take the document without a remark, and the items have no type: `unknown`, `unknown`, `void`. hey-api makes
#       its call for server-sent events all the same. The same document with `schema`, be it 3.1 or 3.2, gives all three the
#       type, though it says that the whole stream is one event.
# So a document moved to 3.2 to say truly what its streams hold takes the types away from each client that is generated again.
#
# Needs node, npm and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install openapi-spec-validator==0.9.0
npm init -y >/dev/null; npm install --silent --no-audit --no-fund node@24.21.0 typescript@5.9.3 openapi-typescript@7.13.0 \
    @hey-api/openapi-ts@0.99.0 swagger-typescript-api@13.13.0 >/dev/null
cat >write.mjs <<'JS'
import { writeFileSync } from 'node:fs';
const of = (openapi, keyword) => ({
  openapi, info: { title: 'chat', version: '1.0.0' },
  paths: { '/stream': { get: { operationId: 'readStream', responses: { 200: { description: 'events', content: {
    'text/event-stream': { [keyword]: { $ref: '#/components/schemas/Frame' } } } } } } } },
  components: { schemas: { Frame: { type: 'object', required: ['data'], properties: { data: { type: 'string' } } } } },
});
writeFileSync('3.1-schema.json', JSON.stringify(of('3.1.0', 'schema')));
writeFileSync('3.2-schema.json', JSON.stringify(of('3.2.0', 'schema')));
writeFileSync('3.2-itemSchema.json', JSON.stringify(of('3.2.0', 'itemSchema')));
JS
PATH=$work/node_modules/.bin:$PATH
node write.mjs
for document in 3.1-schema 3.2-schema 3.2-itemSchema; do
    echo "$document"
    echo "  openapi-spec-validator: $(python/bin/python -m openapi_spec_validator "$document.json" | sed 's/.*: //')"
    openapi-typescript "$document.json" -o types.d.ts >/dev/null 2>&1
    echo "  openapi-typescript: $(sed -n 's/.*"text\/event-stream": \(.*\);/\1/p' types.d.ts)"
    openapi-ts -i "$document.json" -o hey >/dev/null 2>&1
    echo "  hey-api: $(sed -n 's/^    200: \(.*\);/\1/p' hey/types.gen.ts), $(grep -o '\.sse\.get' hey/sdk.gen.ts)"
    swagger-typescript-api generate -p "$document.json" -o classic -n api.ts >/dev/null 2>&1
    echo "  swagger-typescript-api: $(sed -n 's/.*this\.request<\(.*\), any>.*/\1/p' classic/api.ts)"
    rm -rf types.d.ts hey classic
done | tee seen
diff - seen <<'SEEN' && echo 'as stated'
3.1-schema
  openapi-spec-validator: OK
  openapi-typescript: components["schemas"]["Frame"]
  hey-api: Frame, .sse.get
  swagger-typescript-api: Frame
3.2-schema
  openapi-spec-validator: OK
  openapi-typescript: components["schemas"]["Frame"]
  hey-api: Frame, .sse.get
  swagger-typescript-api: Frame
3.2-itemSchema
  openapi-spec-validator: OK
  openapi-typescript: unknown
  hey-api: unknown, .sse.get
  swagger-typescript-api: void
SEEN
