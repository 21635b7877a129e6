"""Calls the server with the client that openapi-generator has generated for Python."""

import os

import client
from client import (
    LogInApi, Bulk, BulkClose, BulkCloseRequest, Configuration, ConversationsApi, Credentials, Destination,
    DestinationToAgent, MessageInput, SessionInput, VisitorsApi,
)


def having(token=None):
    return client.ApiClient(Configuration(host=os.environ["API"], access_token=token))


credentials = Credentials(email=os.environ["ADMIN_EMAIL"], password=os.environ["ADMIN_PASSWORD"])
desk = ConversationsApi(having(LogInApi(having()).log_in(credentials).access_token))

hello = SessionInput(name="Vera", initialMessage="Hello", metadata={"page": "/prices", "visits": 3})
begun = VisitorsApi(having()).start_session(hello)
visitor = VisitorsApi(having(begun.session_token))

message = MessageInput(content="Where is my order?", metadata={"order": 4711})
assert visitor.send_to_thread(begun.thread_id, message).content == "Where is my order?"
page = visitor.list_thread_events(begun.thread_id, limit=50)
assert sum(1 for event in page.data if event.type == "message") == 2, page


def refusal(call):
    try:
        call()
    except client.ApiException as error:
        return error.data.code
    raise AssertionError("nothing was refused")


nobody = Destination(DestinationToAgent(agentId="01890000-0000-7000-8000-000000000001", reason="Knows the customer"))
assert refusal(lambda: desk.transfer_conversation(begun.conversation_id, nobody)) == "invalid_request"

close = BulkClose(reason="answered", notes="By a generated client.")
bulk = Bulk(BulkCloseRequest(conversationIds=[begun.conversation_id], close=close))
assert desk.change_conversations(bulk).succeeded == 1
last = desk.list_assignments(begun.conversation_id).data[-1].assignment.actual_instance
assert last.kind == "closed" and last.reason == "answered", last
assert refusal(lambda: visitor.send_to_thread(begun.thread_id, MessageInput(content="Too late"))) == "chat_closed"
