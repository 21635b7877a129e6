#!/usr/bin/env bash
# A key set (JWKS) of an identity provider to which a key of another kind is added, and a token signed by the key that was there.
#
# Versions: PyPI python-jose 3.5.0, authlib 1.9.10 (authlib.jose), pyjwt 2.15.1, joserfc 1.8.0, jwcrypto 1.6.1; npm node-jose 2.2.0,
#           jose 6.2.17, jwks-rsa 4.1.0 with its key read by jose.
# Expected: a reader of key sets passes over keys whose `kty` or curve it does not know (RFC 7517, section 5), and takes the key that
#           the token names by `kid`.
# Seen: an ML-DSA key (kty AKP, of 2026) beside the RSA key makes node-jose refuse the whole set, authlib.jose raise a KeyError, and
#       python-jose, which tries all keys and never looks at `kid`, fail at the first key that is not RSA: for it any EC or
#       Ed25519 key in front is enough, and behind the RSA key none matters. node-jose stumbles over Ed25519, too. The others go on.
# So the day on which a provider adds its first new key, every log-in of such a client fails, though no token has changed; a trial
#   with the new key at the end of the set shows nothing with python-jose.
#
# Needs node, npm and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install python-jose==3.5.0 authlib==1.9.10 \
    'pyjwt[crypto]==2.15.1' joserfc==1.8.0 jwcrypto==1.6.1
npm init -y >/dev/null; npm install --silent --no-audit --no-fund node-jose@2.2.0 jose@6.2.17 jwks-rsa@4.1.0 >/dev/null
cat >read.mjs <<'JS'
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createLocalJWKSet, importSPKI, jwtVerify, SignJWT } from 'jose';
import jwksRsa from 'jwks-rsa';
import nodeJose from 'node-jose';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const old = { ...publicKey.export({ format: 'jwk' }), kid: 'old', alg: 'RS256', use: 'sig' };
const shown = (...kind) => ({ ...generateKeyPairSync(...kind).publicKey.export({ format: 'jwk' }), kid: 'new', use: 'sig' });
const ec = { ...shown('ec', { namedCurve: 'P-256' }), alg: 'ES256' };
const sets = {
  'RSA alone': [old],
  'EC in front': [ec, old],
  'EC behind': [old, ec],
  'Ed25519 in front': [{ ...shown('ed25519'), alg: 'EdDSA' }, old],
  // The length of an ML-DSA-65 key; nobody checks a signature with it here.
  'ML-DSA in front': [{ kty: 'AKP', alg: 'ML-DSA-65', kid: 'new', use: 'sig', pub: randomBytes(1952).toString('base64url') }, old],
};
const token = await new SignJWT({ sub: 'agent' }).setProtectedHeader({ alg: 'RS256', kid: 'old' }).setExpirationTime('1h').sign(privateKey);
writeFileSync('sets.json', JSON.stringify({ token, sets }));
let served;
const provider = createServer((_, answer) => answer.end(JSON.stringify(served))).listen(0, '127.0.0.1');
await new Promise((resolve) => { provider.on('listening', resolve); });
const readers = {
  jose: (set) => jwtVerify(token, createLocalJWKSet(set)),
  'jwks-rsa': async () => {
    const client = jwksRsa({ jwksUri: `http://127.0.0.1:${provider.address().port}/keys`, cache: false });
    return jwtVerify(token, await importSPKI((await client.getSigningKey('old')).getPublicKey(), 'RS256'));
  },
  'node-jose': async (set) => nodeJose.JWS.createVerify(await nodeJose.JWK.asKeyStore(set)).verify(token),
};
for (const [reader, read] of Object.entries(readers)) {
  const line = [];
  for (const [name, keys] of Object.entries(sets)) {
    served = { keys };
    line.push(`${name} ${await read(served).then(() => 'accepted', (error) => `"${error.message}"`)}`);
  }
  console.log(`${reader}: ${line.join(' | ')}`);
}
process.exit();
JS
cat >read.py <<'PY'
import json, warnings
warnings.simplefilter("ignore")
import joserfc.jwk, joserfc.jwt, jose.jwt, jwcrypto.jwk, jwcrypto.jwt, jwt
from authlib.jose import JsonWebKey, JsonWebToken
given = json.load(open("sets.json"))
token = given["token"]
readers = {
    "pyjwt": lambda keys: jwt.decode(token, jwt.PyJWKSet.from_dict(keys)["old"], algorithms=["RS256"]),
    "joserfc": lambda keys: joserfc.jwt.decode(token, joserfc.jwk.KeySet.import_key_set(keys)),
    "jwcrypto": lambda keys: jwcrypto.jwt.JWT(jwt=token, key=jwcrypto.jwk.JWKSet.from_json(json.dumps(keys))),
    "authlib.jose": lambda keys: JsonWebToken(["RS256"]).decode(token, JsonWebKey.import_key_set(keys)),
    "python-jose": lambda keys: jose.jwt.decode(token, keys, algorithms=["RS256"]),
}
for reader, read in readers.items():
    line = []
    for name, keys in given["sets"].items():
        try:
            read({"keys": keys})
            line.append(f"{name} accepted")
        except Exception as error:
            line.append(f"{name} {type(error).__name__}")
    print(f"{reader}: {' | '.join(line)}")
PY
{ node read.mjs; python/bin/python read.py; } | tee seen
diff - seen <<'SEEN' && echo 'as stated'
jose: RSA alone accepted | EC in front accepted | EC behind accepted | Ed25519 in front accepted | ML-DSA in front accepted
jwks-rsa: RSA alone accepted | EC in front accepted | EC behind accepted | Ed25519 in front accepted | ML-DSA in front accepted
node-jose: RSA alone accepted | EC in front accepted | EC behind accepted | Ed25519 in front "unsupported key type" | ML-DSA in front "unsupported key type"
pyjwt: RSA alone accepted | EC in front accepted | EC behind accepted | Ed25519 in front accepted | ML-DSA in front accepted
joserfc: RSA alone accepted | EC in front accepted | EC behind accepted | Ed25519 in front accepted | ML-DSA in front accepted
jwcrypto: RSA alone accepted | EC in front accepted | EC behind accepted | Ed25519 in front accepted | ML-DSA in front accepted
authlib.jose: RSA alone accepted | EC in front accepted | EC behind accepted | Ed25519 in front accepted | ML-DSA in front KeyError
python-jose: RSA alone accepted | EC in front JWKError | EC behind accepted | Ed25519 in front JWKError | ML-DSA in front JWKError
SEEN
