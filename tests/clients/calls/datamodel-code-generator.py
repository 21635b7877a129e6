"""Reads the server's answers with the models that datamodel-code-generator has generated."""

import json
import os
import urllib.error
import urllib.request

from client import models


def shown(value):
    """A model by its fields, and a password as it is."""
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value()
    return value.model_dump(exclude_none=True, by_alias=True) if hasattr(value, "model_dump") else str(value)


def call(method, path, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body, default=shown).encode()
    request = urllib.request.Request(os.environ["API"] + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


credentials = models.Credentials(email=os.environ["ADMIN_EMAIL"], password=os.environ["ADMIN_PASSWORD"])
agent = models.LoggedIn.model_validate(call("POST", "/v1/auth/login", credentials)).access_token

hello = models.SessionInput(name="Vera", initialMessage="Hello", metadata={"page": "/prices", "visits": 3})
begun = models.WidgetSession.model_validate(call("POST", "/v1/widget/session", hello))
visitor, thread, chat = begun.sessionToken, f"/v1/threads/{begun.threadId}/events", begun.conversationId

message = models.MessageInput(content="Where is my order?", metadata={"order": 4711})
sent = models.ThreadEvent.model_validate(call("POST", thread, message, visitor))
assert sent.content == "Where is my order?", sent

page = models.PageOfThreadEvent.model_validate(call("GET", thread, token=visitor))
assert sum(1 for event in page.data if event.type.value == "message") == 2, page

close = models.BulkClose(reason="answered", notes="By a generated client.")
bulk = models.Bulk(models.BulkCloseRequest(conversationIds=[chat], close=close))
closed = models.BulkResults.model_validate(call("POST", "/v1/conversations/bulk", bulk, agent))
assert closed.succeeded == 1, closed

history = call("GET", f"/v1/conversations/{chat}/assignments", token=agent)
last = models.PageOfConversationAssignment.model_validate(history).data[-1].assignment.root
assert isinstance(last, models.AssignmentClosed) and last.reason == "answered", last

late = call("POST", thread, models.MessageInput(content="Too late"), visitor)
assert models.Problem409ChatClosed.model_validate(late).code.value == "chat_closed", late
