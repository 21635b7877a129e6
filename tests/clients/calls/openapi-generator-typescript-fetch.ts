import { LogInApi, Configuration, ConversationsApi, ResponseError, VisitorsApi } from "./client/index.js";
import { ok, same, settings } from "./settings.js";

const as = (accessToken = "") => new Configuration({ basePath: settings.api, accessToken });

const login = await new LogInApi(as()).logIn({ credentials: { email: settings.email, password: settings.password } });
const desk = new ConversationsApi(as(login.accessToken));

const begun = await new VisitorsApi(as()).startSession({
  sessionInput: { name: "Vera", initialMessage: "Hello", metadata: { page: "/prices", visits: 3 } },
});
const { conversationId, threadId: id } = begun;
const visitor = new VisitorsApi(as(begun.sessionToken));

const sent = await visitor.sendToThread({
  id, messageInput: { content: "Where is my order?", metadata: { order: 4711 } },
});
same(sent.content, "Where is my order?");

const list = await visitor.listThreadEvents({ id, limit: 50 });
same(list.data.filter((event) => event.type === "message").length, 2);

const close = { reason: "answered", notes: "By a generated client." };
const closed = await desk.changeConversations({ bulk: { conversationIds: new Set([conversationId]), close } });
same(closed.succeeded, 1);

const history = await desk.listAssignments({ id: conversationId });
same((history.data.at(-1)!.assignment as { kind: string }).kind, "closed");

const refused = await visitor.sendToThread({ id, messageInput: { content: "Too late" } }).then(() => null, (error) => error);
same(ok(refused as ResponseError).response.status, 409);
