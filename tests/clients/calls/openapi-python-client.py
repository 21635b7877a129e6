"""Calls the server with the client that openapi-python-client has generated."""

import os
from uuid import UUID

from client import AuthenticatedClient, Client
from client.api.log_in import log_in
from client.api.conversations import change_conversations, list_assignments, transfer_conversation
from client.api.visitors import list_thread_events, send_to_thread, start_session
from client.models import (
    AssignmentClosed, BulkClose, BulkCloseRequest, Credentials, DestinationToAgent, LoggedIn, MessageInput,
    MessageInputMetadataType0 as MessageMetadata, SessionInput, SessionInputMetadataType0 as SessionMetadata, ThreadEvent,
    WidgetSession,
)

public = Client(base_url=os.environ["API"])
login = log_in.sync(client=public, body=Credentials(os.environ["ADMIN_EMAIL"], os.environ["ADMIN_PASSWORD"]))
assert isinstance(login, LoggedIn), login
agent = AuthenticatedClient(base_url=os.environ["API"], token=login.access_token)

about = SessionMetadata()
about["page"] = "/prices"
begun = start_session.sync(client=public, body=SessionInput(initial_message="Hello", name="Vera", metadata=about))
assert isinstance(begun, WidgetSession), begun
visitor = AuthenticatedClient(base_url=os.environ["API"], token=begun.session_token)

order = MessageMetadata()
order["order"] = 4711
message = MessageInput(content="Where is my order?", metadata=order)
sent = send_to_thread.sync(begun.thread_id, client=visitor, body=message)
assert isinstance(sent, ThreadEvent) and sent.content == "Where is my order?", sent

page = list_thread_events.sync(begun.thread_id, client=visitor, limit=50)
assert sum(1 for event in page.data if event.type_ == "message") == 2, page

refused = transfer_conversation.sync(
    begun.conversation_id, client=agent, body=DestinationToAgent(agent_id=UUID(int=1), reason="Knows the customer"),
)
assert refused is not None and refused.code == "invalid_request", refused

close = BulkClose(reason="answered", notes="By a generated client.")
closed = change_conversations.sync(
    client=agent, body=BulkCloseRequest(conversation_ids=[begun.conversation_id], close=close),
)
assert closed.succeeded == 1, closed

history = list_assignments.sync(begun.conversation_id, client=agent)
last = history.data[-1].assignment
assert isinstance(last, AssignmentClosed) and last.reason == "answered", last

refused = send_to_thread.sync(begun.thread_id, client=visitor, body=MessageInput(content="Too late"))
assert refused is not None and refused.code == "chat_closed", refused
