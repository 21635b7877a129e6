// npm ws: resumes from its position, after whatever pause the server asks for.
import WebSocket from "ws";

const { API, TOKEN } = process.env;
let after;

function open() {
  const socket = new WebSocket(API.replace("http", "ws") + "/v1/stream", "livechatlog.v1");
  let epoch, position, retry = 300;
  socket.on("open", () => socket.send(JSON.stringify({ frame: "hello", token: TOKEN, ...(after && { after }) })));
  socket.on("message", (text) => {
    const frame = JSON.parse(text);
    if (frame.frame === "error") retry = frame.retryInMs ?? process.exit(3);
    if (frame.frame === "welcome") epoch = frame.epoch;
    if (frame.frame === "event" && frame.after !== position) process.exit(4);
    position = frame.position ?? position;
    after = `${epoch}:${position}`;
    if (frame.data?.type === "message") console.log(frame.data.content);
    if (frame.frame === "live") console.error("live");
  });
  socket.on("error", () => {});
  socket.on("close", () => setTimeout(open, retry));
}
open();
