// npm eventsource: comes back by itself, with the last id.
import { EventSource } from "eventsource";

const { API, TOKEN } = process.env;
const bearer = (url, init) => fetch(url, { ...init, headers: { ...init.headers, Authorization: `Bearer ${TOKEN}` } });
const source = new EventSource(API + "/v1/stream", { fetch: bearer });
source.addEventListener("event", ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.data?.type === "message") console.log(frame.data.content);
});
source.addEventListener("live", () => console.error("live"));
// While it waits to come back, it does not keep the process alive.
setInterval(() => {}, 1000);
