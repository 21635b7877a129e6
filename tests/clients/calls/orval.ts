import {
  changeConversations, listAssignments, listThreadEvents, logIn, sendToThread, startSession,
} from "./client/client.js";
import { ok, same, settings } from "./settings.js";

// The generated paths are relative to the page of the client.
const send = globalThis.fetch;
globalThis.fetch = (path, options) => send(`${settings.api}${String(path)}`, options);
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

const login = await logIn({ email: settings.email, password: settings.password });
if (login.status !== 200) throw new Error(login.data.code);
const agent = bearer(login.data.access_token);

const begun = await startSession({
  name: "Vera", initialMessage: "Hello", metadata: { page: "/prices", visits: 3 },
});
if (begun.status !== 201) throw new Error(begun.data.code);
const { sessionToken, conversationId, threadId } = begun.data;
const visitor = bearer(sessionToken);

const sent = await sendToThread(threadId, { content: "Where is my order?", metadata: { order: 4711 } }, visitor);
if (sent.status !== 201) throw new Error(sent.data.code);
same(sent.data.content, "Where is my order?");

const list = await listThreadEvents(threadId, { limit: 50 }, visitor);
if (list.status !== 200) throw new Error(list.data.code);
same(list.data.data.filter((event) => event.type === "message").length, 2);

const closed = await changeConversations(
  { conversationIds: [conversationId], close: { reason: "answered", notes: "By a generated client." } }, agent,
);
if (closed.status !== 200) throw new Error(closed.data.code);
same(closed.data.succeeded, 1);

const history = await listAssignments(conversationId, undefined, agent);
if (history.status !== 200) throw new Error(history.data.code);
const last = history.data.data.at(-1)!.assignment;
same(last.kind === "closed" ? last.reason : last.kind, "answered");

const refused = await sendToThread(threadId, { content: "Too late" }, visitor);
same(refused.status as number, 409);
same(refused.status === 409 ? (refused.data.code as string) : "", "chat_closed");
