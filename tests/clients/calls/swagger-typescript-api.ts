import { Api } from "./client/Api.js";
import { ok, same, settings } from "./settings.js";

const of = (token?: string) =>
  new Api({ baseUrl: settings.api, baseApiParams: token ? { headers: { Authorization: `Bearer ${token}` } } : {} });

const login = await of().v1.logIn({ email: settings.email, password: settings.password });
const agent = of(login.data.access_token);

const begun = await of().v1.startSession({
  name: "Vera", initialMessage: "Hello", metadata: { page: "/prices", visits: 3 },
});
const { sessionToken, conversationId, threadId } = begun.data;
const visitor = of(sessionToken);

const sent = await visitor.v1.sendToThread(threadId, { content: "Where is my order?", metadata: { order: 4711 } });
same(sent.data.content, "Where is my order?");

const list = await visitor.v1.listThreadEvents(threadId, { limit: 50 });
same(list.data.data.filter((event) => event.type === "message").length, 2);

const closed = await agent.v1.changeConversations({
  conversationIds: [conversationId], close: { reason: "answered", notes: "By a generated client." },
});
same(closed.data.succeeded, 1);

const history = await agent.v1.listAssignments(conversationId);
const last = history.data.data.at(-1)!.assignment;
same(last.kind === "closed" ? last.reason : last.kind, "answered");

const refused = await visitor.v1.sendToThread(threadId, { content: "Too late" }).then(() => undefined, (answer) => answer);
same(ok(refused).error.code, "chat_closed");
