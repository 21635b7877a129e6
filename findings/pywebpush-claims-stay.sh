#!/usr/bin/env bash
# One dictionary of VAPID claims for several push services, as a program that notifies many browsers has it.
#
# Version: PyPI pywebpush 2.5.0.
# Expected: `aud` is set for each subscription from the origin of its endpoint (RFC 8292, section 2), as npm web-push 3.6.7
#           does; the caller's dictionary stays as it was.
# Seen: the first call writes `aud` and `exp` into the caller's dictionary. The second call, for an endpoint of another push
#       service, signs a token whose `aud` names the first service: that service has to refuse it.
# So give each call a copy of the claims.
#
# Needs python3 with venv. Sends nothing: a stand-in takes the place of the HTTP session. Exits with 1 when it differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install pywebpush==2.5.0
cat >send.py <<'PY'
import base64, json, os
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pywebpush import webpush

text = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
browser = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
signer = text(ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big"))

class Session:
    def post(self, url, headers, **_):
        token = headers["authorization"].split("t=")[1].split(",")[0].split(".")[1]
        print(url.split("/")[2], "gets a token for", json.loads(base64.urlsafe_b64decode(token + "=="))["aud"])
        return type("Answer", (), {"status_code": 201, "reason": "", "text": "", "headers": {}})()

claims = {"sub": "mailto:desk@example.com"}
for service in ("one.example", "two.example"):
    keys = {"p256dh": text(browser), "auth": text(os.urandom(16))}
    webpush({"endpoint": f"https://{service}/device", "keys": keys}, data="hello", ttl=60, vapid_private_key=signer,
            vapid_claims=claims, requests_session=Session())
print("claims now have", *sorted(claims))
PY
python/bin/python send.py | tee seen
diff - seen <<'SEEN' && echo 'as stated'
one.example gets a token for https://one.example
two.example gets a token for https://one.example
claims now have aud exp sub
SEEN
