"""Who calls, what there is to call for, and what JSON Schema cannot say of the requests."""

import itertools
import json
import os
import re
import urllib.request

import schemathesis

BASE = os.environ["API"]
CREDENTIALS = {"email": os.environ["ADMIN_EMAIL"], "password": os.environ["ADMIN_PASSWORD"]}
SEEN = os.environ["SEEN"]
LOG_OUT = "/v1/auth/logout"
BEGIN_CHAT = "/v1/widget/session"
# Of the keys that a stranger may use there.
SHORTEST_KEY = 16
STREAM = "/v1/stream"


def post(path, body, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(BASE + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def log_in():
    return post("/v1/auth/login", CREDENTIALS)


class World:
    """The admin who calls, a colleague, and a visitor with a chat."""

    admin = log_in()
    token = admin["access_token"]
    colleague = post("/v1/agents", {"name": "Ben", "email": "ben@example.com", "password": "a long password"}, token)
    chat = post(BEGIN_CHAT, {"initialMessage": "Hello"})


def is_for_visitor(case):
    return case.operation.path.endswith("/events")


# A cached token would be the one that a log-out has ended.
@schemathesis.auth(refresh_interval=None)
class Caller:
    """The visitor in their chat, else the first admin; whoever logs out does it in a session of their own."""

    def get(self, case, context):
        if case.operation.path == LOG_OUT:
            return log_in()["access_token"]
        return World.chat["sessionToken"] if is_for_visitor(case) else World.token

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def filter_case(context, case):
    """A link may lead from an empty list of ids to the id `[]`, which is none."""
    return all(isinstance(value, str) and value != "[]" for value in (case.path_parameters or {}).values())


numbers = itertools.count(10000)


def own_key(case, key):
    """Keys are told apart: reused with another body, one hides what the server makes of that body."""
    number = f"{next(numbers):05}"
    if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", key):
        return key
    if len(key) >= SHORTEST_KEY:
        return key[:-5] + number
    return key if case.operation.path == BEGIN_CHAT else number


# Longer than what has another limit than its length.
LONG = 100


def without_controls(value):
    """A long text counts without the control characters in it, which the server drops."""
    if isinstance(value, dict):
        return {name: without_controls(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_controls(item) for item in value]
    if isinstance(value, str) and len(value) > LONG:
        return re.sub(r"[\x00-\x20\x7f]", "x", value)
    return value


def spoil(case):
    """Makes those requests invalid that schemathesis holds for invalid."""
    if case.media_type == "application/json":
        case.body = without_controls(case.body)
    key = (case.headers or {}).get("Idempotency-Key")
    # A visitor who is known may use a short key.
    if case.operation.path == BEGIN_CHAT and key is not None and len(key) < SHORTEST_KEY and isinstance(case.body, dict):
        case.body.pop("sessionToken", None)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes those requests valid that schemathesis holds for valid, and those invalid that it holds for invalid."""
    headers = case.headers or {}
    # Any other position would be waited for, 5 seconds each time.
    if re.fullmatch("[0-9]+", headers.get("If-Position-At-Least") or ""):
        headers["If-Position-At-Least"] = "0"
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = own_key(case, headers["Idempotency-Key"])
    # Who calls must stay an admin, with this address.
    if case.method in ("PATCH", "DELETE") and (case.path_parameters or {}).get("id") == World.admin["agent"]["id"]:
        case.path_parameters["id"] = World.colleague["id"]
    # A ticket takes the place of the token, and one that nobody was given is answered by 204.
    if case.operation.path == STREAM and case.query:
        case.query.pop("ticket", None)
    if case.meta is None:
        return
    if case.meta.generation.mode.name != "POSITIVE":
        spoil(case)
        return
    if is_for_visitor(case):
        field = "threadId" if "/threads/" in case.operation.path else "conversationId"
        case.path_parameters["id"] = World.chat[field]
    # Cursors are opaque: only those of an answer are good.
    if case.query:
        case.query.pop("cursor", None)
    # The coverage phase drops the quotation marks of some versions.
    version = headers.get("If-Match")
    if version is not None and version != "*" and not version.startswith('"'):
        headers["If-Match"] = '"1"'


done = set()


@schemathesis.hook
def after_call(context, case, response):
    """Tells `run` which operations did what they are for."""
    name = case.operation.definition.raw["operationId"]
    if response.status_code < 300 and name not in done:
        done.add(name)
        with open(SEEN, "a") as file:
            file.write(f"{name}\n")
