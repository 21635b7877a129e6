#!/usr/bin/env bash
# HTTP message signatures (RFC 9421, Ed25519) made by one library and checked by another, for one and the same URL.
#
# Versions: npm http-message-signatures 1.0.6 (A), http-message-sig 0.3.0 (B), on Node.js 20 or newer; PyPI
#           http-message-signatures 3.0.0 with requests 2.34.2 (C).
# Expected: all accept each other's signatures over `@target-uri`, as they do over `@authority`, `@path` and `@query`; the URL
#           of the webhook may have a port of its scheme, capitals in its host, no path, or an empty query.
# Seen: over `@authority` all accept all. Over `@target-uri` they sign different texts as soon as the URL is not in its plainest
#       form: A keeps it as written, B normalises it, C does in part (host, path) and drops the empty query, but keeps ":443".
#       So for ":443" A and C agree, for capitals and a missing path B and C, for "?" A and B. A plain URL works in all.
# So, `@target-uri` being in C's default components, each delivery to https://example.com:443/hook is refused by receivers with B:
#   sign `@authority`, `@path` and `@query` in its place, or refuse such URLs where webhooks are set up.
#
# Needs node, npm and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install http-message-signatures==3.0.0 requests==2.34.2
npm init -y >/dev/null; npm install --silent --no-audit --no-fund http-message-signatures@1.0.6 http-message-sig@0.3.0 >/dev/null
cat >js.mjs <<'JS'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import a from 'http-message-signatures';
import * as b from 'http-message-sig';
if (!existsSync('key.pem')) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync('public.pem', publicKey.export({ type: 'spki', format: 'pem' }));
}
const privateKey = createPrivateKey(readFileSync('key.pem'));
const publicKey = createPublicKey(readFileSync('public.pem'));
const request = (url, headers) => new Request(url, { method: 'POST', headers, body: '{}' });
const lower = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
const signers = {
  A: async (url, component) => lower((await a.httpbis.signMessage({ key: a.createSigner(privateKey, 'ed25519', 'k'),
    fields: [component], params: ['created', 'keyid', 'alg'] }, { method: 'POST', url, headers: {} })).headers),
  B: async (url, component) => {
    const signer = { algorithm: 'ed25519', sign: async (data) => new Uint8Array(sign(null, data, privateKey)) };
    const parameters = { created: Math.floor(Date.now() / 1000), alg: 'ed25519', keyid: 'k' };
    const fields = await b.createSignature(request(url, {}), { label: 'sig', components: [component], parameters, signer });
    return Object.fromEntries(b.appendSignature(new Headers(), fields));
  },
};
const checkers = {
  A: async ({ url, headers }) => a.httpbis.verifyMessage({ keyLookup: async () => (
    { id: 'k', algs: ['ed25519'], verify: a.createVerifier(publicKey, 'ed25519') }) }, { method: 'POST', url, headers }),
  B: async ({ url, headers, component }) => Boolean(await b.verifySignature(request(url, headers), {
    policy: { algorithms: ['ed25519'], requiredComponents: [component], requiredParameters: ['created', 'keyid'],
      maxAge: 300, clockSkew: 60 },
    resolveVerifier: () => ({ algorithm: 'ed25519', verify: async (data, signature) => verify(null, data, publicKey, signature) }) })),
};
if (process.argv[2] === 'sign') {
  const all = [];
  for (const component of ['@authority', '@target-uri']) {
    for (const url of ['https://example.com/hook?a=1', 'https://example.com:443/hook', 'https://Example.COM/hook',
      'https://example.com', 'https://example.com/hook?']) {
      for (const [by, signer] of Object.entries(signers)) all.push({ component, url, by, headers: await signer(url, component) });
    }
  }
  writeFileSync('signed.json', JSON.stringify(all));
} else {
  const lines = new Map();
  for (const signed of JSON.parse(readFileSync('signed.json', 'utf8'))) {
    const takers = [];
    for (const [name, check] of Object.entries(checkers)) if (await check(signed).catch(() => false)) takers.push(name);
    if (signed.C) takers.push('C');
    const key = `${signed.component} of ${signed.url}:`;
    lines.set(key, [...(lines.get(key) ?? []), `by ${signed.by} for ${takers.join('+')}`]);
  }
  for (const [key, parts] of lines) console.log(key, parts.join(', '));
}
JS
cat >check.py <<'PY'
import json
from http_message_signatures import (HTTPMessageSigner, HTTPMessageVerifier, HTTPMessageSignaturesException,
                                     HTTPSignatureKeyResolver, VerificationKey)
from http_message_signatures.algorithms import ED25519
from requests import Request

class Keys(HTTPSignatureKeyResolver):
    def resolve_private_key(self, key_id):
        return open("key.pem", "rb").read()
    def resolve_public_key(self, key_id):
        return open("public.pem", "rb").read()
    def resolve_verification_key(self, *_, **__):
        return VerificationKey(self.resolve_public_key("k"), ED25519)

def prepared(url, headers):
    return Request("POST", url, headers=headers, data="{}").prepare()

def accepts(signed):
    try:
        verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=Keys())
        return bool(verifier.verify(prepared(signed["url"], signed["headers"])))
    except HTTPMessageSignaturesException:
        return False

def sign(component, url):
    request = prepared(url, {})
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=Keys())
    signer.sign(request, key_id="k", label="sig", covered_component_ids=(component,))
    return {name.lower(): value for name, value in request.headers.items() if name.lower().startswith("signature")}

done = []
for signed in json.load(open("signed.json")):
    done.append(signed)
    if signed["by"] == "B":
        component, url = signed["component"], signed["url"]
        done.append({"component": component, "url": url, "by": "C", "headers": sign(component, url)})
json.dump([signed | {"C": accepts(signed)} for signed in done], open("signed.json", "w"))
PY
{ node js.mjs sign && python/bin/python check.py && node js.mjs check; } | tee seen
diff - seen <<'SEEN' && echo 'as stated'
@authority of https://example.com/hook?a=1: by A for A+B+C, by B for A+B+C, by C for A+B+C
@authority of https://example.com:443/hook: by A for A+B+C, by B for A+B+C, by C for A+B+C
@authority of https://Example.COM/hook: by A for A+B+C, by B for A+B+C, by C for A+B+C
@authority of https://example.com: by A for A+B+C, by B for A+B+C, by C for A+B+C
@authority of https://example.com/hook?: by A for A+B+C, by B for A+B+C, by C for A+B+C
@target-uri of https://example.com/hook?a=1: by A for A+B+C, by B for A+B+C, by C for A+B+C
@target-uri of https://example.com:443/hook: by A for A+C, by B for B, by C for A+C
@target-uri of https://Example.COM/hook: by A for A, by B for B+C, by C for B+C
@target-uri of https://example.com: by A for A, by B for B+C, by C for B+C
@target-uri of https://example.com/hook?: by A for A+B, by B for A+B, by C for C
SEEN
