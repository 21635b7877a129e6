import createClient from "openapi-fetch";
import type { paths } from "./client/schema.js";
import { ok, same, settings } from "./settings.js";

const api = createClient<paths>({ baseUrl: settings.api });
const json = { "Content-Type": "application/json" };

const login = await api.POST("/v1/auth/login", { body: { email: settings.email, password: settings.password } });
const agent = { Authorization: `Bearer ${ok(login.data).access_token}` };

const begun = await api.POST("/v1/widget/session", {
  body: { name: "Vera", initialMessage: "Hello", metadata: { page: "/prices", visits: 3 } },
});
const { sessionToken, conversationId, threadId } = ok(begun.data);
const visitor = { Authorization: `Bearer ${sessionToken}` };

const path = { path: { id: threadId } };
const sent = await api.POST("/v1/threads/{id}/events", {
  params: path, headers: visitor, body: { content: "Where is my order?", metadata: { order: 4711 } },
});
same(ok(sent.data).content, "Where is my order?");

const list = await api.GET("/v1/threads/{id}/events", { params: { ...path, query: { limit: 50 } }, headers: visitor });
same(ok(list.data).data.filter((event) => event.type === "message").length, 2);

const closed = await api.POST("/v1/conversations/bulk", {
  headers: { ...json, ...agent },
  body: { conversationIds: [conversationId], close: { reason: "answered", notes: "By a generated client." } },
});
same(ok(closed.data).succeeded, 1);

const history = await api.GET("/v1/conversations/{id}/assignments", {
  params: { path: { id: conversationId } }, headers: agent,
});
const last = ok(history.data).data.at(-1)!.assignment;
// Narrows by `kind`: only an end has a reason that is always there.
same(last.kind === "closed" ? last.reason : last.kind, "answered");

const refused = await api.POST("/v1/threads/{id}/events", {
  params: path, headers: visitor, body: { content: "Too late" },
});
const code: string = ok(refused.error).code;
same(code, "chat_closed");
