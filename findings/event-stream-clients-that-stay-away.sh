#!/usr/bin/env bash
# Clients of event streams that are used in place of EventSource because they send headers: after which ends of a stream they come
# back, with their defaults, and how they tell where they stopped.
#
# Versions: npm react-native-sse 1.2.1, @microsoft/fetch-event-source 2.0.1, event-source-polyfill 1.0.31, sse.js 2.8.0,
#           eventsource-client 1.2.0, and the browser's own EventSource; all in a page of Debian's Chromium 156.0.8078.114.
# Expected: like EventSource they come back after a stream that ended, was cut or could not be reached for a while, with
#           Last-Event-ID; after a status like 503 some do.
# Seen: fetch-event-source stays away after a stream that the server ended, which is how a server shuts down politely, and comes
#       back after a cut; react-native-sse the other way round: after a cut, or when it finds nobody once, it stays away for good.
#       sse.js never comes back. event-source-polyfill tells its position in the address (`?lastEventId=41`), not in the
#       header. Only eventsource-client comes back after all four.
#       react-native-sse drops the spaces in front of a text, so lists and code lose their indentation.
# So after a deployment some pages are silent that looked connected, and which ones hangs on how the server ended the stream:
#   recreate the stream in the page's own code, and read the position from both places.
#
# Needs node, npm and /usr/bin/chromium. Listens on ports of the loopback address. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund react-native-sse@1.2.1 @microsoft/fetch-event-source@2.0.1 event-source-polyfill@1.0.31 \
    sse.js@2.8.0 eventsource-client@1.2.0 esbuild@0.28.2 playwright-core@1.65.1 >/dev/null
cat >page.js <<'JS'
import { fetchEventSource } from '@microsoft/fetch-event-source';
import { EventSourcePolyfill } from 'event-source-polyfill';
import { createEventSource } from 'eventsource-client';
import ReactNativeEventSource from 'react-native-sse';
import { SSE } from 'sse.js';
const listen = (source, heard) => { source.addEventListener('message', ({ data }) => heard(data)); };
window.clients = {
  EventSource: (url, heard) => listen(new EventSource(url), heard),
  'react-native-sse': (url, heard) => listen(new ReactNativeEventSource(url), heard),
  'fetch-event-source': (url, heard) => fetchEventSource(url, { openWhenHidden: true, onmessage: ({ data }) => heard(data) }).catch(() => {}),
  'event-source-polyfill': (url, heard) => listen(new EventSourcePolyfill(url), heard),
  'sse.js': (url, heard) => listen(new SSE(url), heard),
  'eventsource-client': (url, heard) => createEventSource({ url, onMessage: ({ data }) => heard(data) }),
};
JS
npx esbuild --bundle page.js --outfile=page.bundle.js --log-level=error
cat >streams.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
const wait = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const text = '  two spaces in front';
// One stream: the first connection gets an event with id 41 and then what `happens`; whoever comes back is counted.
const stream = async (happens) => {
  const seen = { requests: 0, told: 'nothing' };
  const sockets = new Set();
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*').setHeader('access-control-allow-headers', '*');
    if (request.method === 'OPTIONS') { response.end(); return; }
    seen.requests += 1;
    if (seen.requests > 1) {
      const query = request.url.split('?')[1];
      seen.told = request.headers['last-event-id'] ? 'Last-Event-ID' : query ?? 'nothing';
    } else if (happens === '503') {
      response.writeHead(503, { 'content-type': 'application/problem+json' }).end('{}');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`id: 41\ndata: ${text}\n\n`);
    if (seen.requests > 1) return;
    setTimeout(() => {
      if (happens === 'end') response.end();
      if (happens === 'cut') response.destroy();
      if (happens === 'away') {
        const { port } = server.address();
        server.close();
        for (const socket of sockets) socket.destroy();
        setTimeout(() => server.listen(port, '127.0.0.1'), 6000);
      }
    }, 500);
  });
  server.on('connection', (socket) => { sockets.add(socket); socket.on('close', () => sockets.delete(socket)); });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.on('listening', resolve); });
  return { seen, url: `http://127.0.0.1:${server.address().port}/stream` };
};
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
const site = createServer((request, response) => {
  const script = request.url.endsWith('.js');
  response.setHeader('content-type', script ? 'text/javascript' : 'text/html')
    .end(script ? readFileSync('page.bundle.js') : '<!doctype html><title>streams</title><script src="page.js"></script>');
}).listen(0, '127.0.0.1');
await new Promise((resolve) => { site.on('listening', resolve); });
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${site.address().port}/`);
const names = await page.evaluate(() => Object.keys(window.clients));
const tried = [];
for (const name of names) {
  for (const happens of ['end', 'cut', 'away', '503']) {
    const { seen, url } = await stream(happens);
    tried.push({ name, happens, seen });
    await page.evaluate(([client, at]) => {
      window.heard ??= {};
      window.clients[client](at, (data) => { window.heard[client] = data; });
    }, [name, url]);
  }
}
await wait(30000);
const heard = await page.evaluate(() => window.heard);
const what = { end: 'the server ended it', cut: 'the connection was cut', away: 'the server was away for 6 s', 503: 'status 503' };
for (const name of names) {
  const of = tried.filter((one) => one.name === name);
  const list = (back) => of.filter(({ seen }) => (seen.requests > 1) === back).map(({ happens }) => what[happens]).join(', ') || 'nothing';
  console.log(`${name}: comes back after: ${list(true)}; stays away after: ${list(false)}`);
  console.log(`${name}: tells by ${[...new Set(of.filter(({ seen, happens }) => seen.requests > 1 && happens !== '503')
    .map(({ seen }) => seen.told))].join(', ') || 'nothing'}; text ${heard[name] === text ? 'whole' : JSON.stringify(heard[name])}`);
}
await browser.close();
process.exit();
JS
node streams.mjs | tee seen
diff - seen <<'SEEN' && echo 'as stated'
EventSource: comes back after: the server ended it, the connection was cut, the server was away for 6 s; stays away after: status 503
EventSource: tells by Last-Event-ID; text whole
react-native-sse: comes back after: the server ended it, status 503; stays away after: the connection was cut, the server was away for 6 s
react-native-sse: tells by Last-Event-ID; text "two spaces in front"
fetch-event-source: comes back after: the connection was cut, the server was away for 6 s, status 503; stays away after: the server ended it
fetch-event-source: tells by Last-Event-ID; text whole
event-source-polyfill: comes back after: the server ended it, the connection was cut, the server was away for 6 s; stays away after: status 503
event-source-polyfill: tells by lastEventId=41; text whole
sse.js: comes back after: nothing; stays away after: the server ended it, the connection was cut, the server was away for 6 s, status 503
sse.js: tells by nothing; text whole
eventsource-client: comes back after: the server ended it, the connection was cut, the server was away for 6 s, status 503; stays away after: nothing
eventsource-client: tells by Last-Event-ID; text whole
SEEN
