import { client } from "./client/client.gen.js";
import {
  changeConversations, listAssignments, listThreadEvents, logIn, sendToThread, startSession,
} from "./client/sdk.gen.js";
import { ok, same, settings } from "./settings.js";

client.setConfig({ baseUrl: settings.api });

const login = await logIn({ body: { email: settings.email, password: settings.password } });
const agent = ok(login.data).access_token;

const begun = await startSession({
  body: { name: "Vera", initialMessage: "Hello", metadata: { page: "/prices", visits: 3 } },
  headers: { "Idempotency-Key": crypto.randomUUID() },
});
const { sessionToken, conversationId, threadId } = ok(begun.data);

const sent = await sendToThread({
  path: { id: threadId }, auth: sessionToken, body: { content: "Where is my order?", metadata: { order: 4711 } },
});
same(ok(sent.data).content, "Where is my order?");

const list = await listThreadEvents({ path: { id: threadId }, query: { limit: 50 }, auth: sessionToken });
same(ok(list.data).data.filter((event) => event.type === "message").length, 2);

const closed = await changeConversations({
  auth: agent,
  body: { conversationIds: [conversationId], close: { reason: "answered", notes: "By a generated client." } },
});
same(ok(closed.data).succeeded, 1);

const history = await listAssignments({ path: { id: conversationId }, auth: agent });
const last = ok(history.data).data.at(-1)!.assignment;
same(last.kind === "closed" ? last.reason : last.kind, "answered");

const refused = await sendToThread({ path: { id: threadId }, auth: sessionToken, body: { content: "Too late" } });
same(ok(refused.error).code as string, "chat_closed");
