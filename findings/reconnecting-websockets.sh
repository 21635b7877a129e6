#!/usr/bin/env bash
# What WebSocket clients that reconnect by themselves do when the server accepts and then closes, by the code of the close, and what
# becomes of a message that is sent while the connection is away; each with its defaults.
#
# Versions: npm reconnecting-websocket 4.4.0, partysocket 1.3.0, websocket-ts 2.3.0 (with a wait of 1 s: it has no default),
#           sockette 2.0.6, phoenix 1.8.16; all over ws 8.23.0.
# Expected: after 1001 ("going away", RFC 6455) and 1012 (restart) they come back, more and more slowly; after 1000, 1008 (policy)
#           and a code of the application they stay away. A message sent meanwhile is kept, or the sender hears of it.
# Seen: 1. sockette gives up after 1001, the code with which servers shut down: a restart ends the chat for good. All come back
#          after 1008 and 4401, and all but sockette after 1000: no code of a server stops them.
#       2. phoenix returns to its first wait, of 10 ms, as soon as a connection opens, so a server that accepts and then
#          refuses, as one must to give a reason, is called many times a second by each page, for as long as the page is open.
#       3. websocket-ts and sockette drop what is sent while the connection is away, without an error or an event.
# So a server tells such pages "stop" by a message that the page's own code reads, not by a code; and a page shows a message as sent
#   when the server has answered it.
#
# Needs node and npm. Listens on ports of the loopback address. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund reconnecting-websocket@4.4.0 partysocket@1.3.0 websocket-ts@2.3.0 sockette@2.0.6 \
    phoenix@1.8.16 ws@8.23.0 >/dev/null
cat >close.mjs <<'JS'
import * as phoenix from 'phoenix';
import PartySocket from 'partysocket/ws';
import ReconnectingWebSocket from 'reconnecting-websocket';
import Sockette from 'sockette';
import { ConstantBackoff, WebsocketBuilder } from 'websocket-ts';
import WebSocket, { WebSocketServer } from 'ws';
globalThis.WebSocket = WebSocket;
const wait = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const clients = {
  'reconnecting-websocket': (url) => new ReconnectingWebSocket(url, [], { WebSocket }),
  partysocket: (url) => new PartySocket(url, [], { WebSocket }),
  'websocket-ts': (url) => new WebsocketBuilder(url).withBackoff(new ConstantBackoff(1000)).build(),
  sockette: (url) => new Sockette(url, {}),
  phoenix: (url) => {
    const socket = new phoenix.Socket(url, { transport: WebSocket });
    socket.connect();
    return { send: (text) => socket.push({ topic: 'chat', event: text, payload: {}, ref: '1' }) };
  },
};
const seconds = 12;
const closed = async (name, code) => {
  let connections = 0;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', async (socket) => {
    connections += 1;
    await wait(50);
    if (code) socket.close(code); else socket.terminate();
  });
  await new Promise((resolve) => { server.on('listening', resolve); });
  clients[name](`ws://127.0.0.1:${server.address().port}/socket`);
  await wait(1000 * seconds);
  return connections === 1 ? 'gives up' : connections > 4 * seconds ? 'comes back more than 4 times a second' : 'comes back';
};
// A server that goes away for two seconds, during which the page sends a message.
const sent = async (name) => {
  const start = (port, received) => {
    const server = new WebSocketServer({ port, host: '127.0.0.1' });
    server.on('connection', (socket) => socket.on('message', (data) => received.push(String(data))));
    return new Promise((resolve) => { server.on('listening', () => resolve(server)); });
  };
  const received = [];
  let server = await start(0, received);
  const { port } = server.address();
  const client = clients[name](`ws://127.0.0.1:${port}/socket`);
  await wait(1000);
  // 1012, so that each of them comes back.
  for (const socket of server.clients) socket.close(1012);
  server.close();
  await wait(500);
  let said = '';
  try { client.send('order 4711'); } catch (error) { said = `, ${error.name}`; }
  await wait(1500);
  server = await start(port, received);
  await wait(1000 * seconds);
  client.send('later');
  await wait(1000);
  const texts = received.join();
  return `${texts.includes('order 4711') ? 'delivered' : 'lost'}${said}${texts.includes('later') ? '' : ', and the next one, too'}`;
};
const lines = await Promise.all(Object.keys(clients).map(async (name) => {
  const by = {};
  const codes = [1000, 1001, 1008, 1012, 4401, 0];
  for (const [at, what] of (await Promise.all(codes.map((code) => closed(name, code)))).entries()) (by[what] ??= []).push(codes[at] || 'cut');
  return [`${name}: ${Object.entries(by).map(([what, of]) => `${what} after ${of.join(' ')}`).join('; ')}`,
    `${name}, sent while away: ${await sent(name)}`];
}));
console.log(lines.flat().join('\n'));
process.exit();
JS
node close.mjs | tee seen
diff - seen <<'SEEN' && echo 'as stated'
reconnecting-websocket: comes back after 1000 1001 1008 1012 4401 cut
reconnecting-websocket, sent while away: delivered
partysocket: comes back after 1000 1001 1008 1012 4401 cut
partysocket, sent while away: delivered
websocket-ts: comes back after 1000 1001 1008 1012 4401 cut
websocket-ts, sent while away: lost
sockette: gives up after 1000 1001; comes back after 1008 1012 4401 cut
sockette, sent while away: lost
phoenix: comes back more than 4 times a second after 1000 1001 1008 1012 4401 cut
phoenix, sent while away: delivered
SEEN
