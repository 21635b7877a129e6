#!/usr/bin/env bash
# A tool that asks the person at the other end something while it runs (MCP's elicitation), between the SDKs of JavaScript and
# Python that implement the protocol of 2026-07-28, each server and client with its defaults.
#
# Versions: PyPI mcp 2.3.0; npm @modelcontextprotocol/server 2.4.0 with @modelcontextprotocol/node 2.1.2,
#           @modelcontextprotocol/client 2.4.0, and the older @modelcontextprotocol/sdk 1.32.2.
# Expected: client and server agree on a version that both know, and in it the tool gets its answer: at least where it is written in
#           the new style, and between a client and a server of one release of one SDK.
# Seen: 1. npm's client 2 still speaks 2025-11-25 unless told `mode: 'auto'`, PyPI's client speaks 2026-07-28. So one server serves
#          the first and fails the second: a tool in the old style (`context.elicit`) works in a Python server for npm's clients
#          only.
#       2. npm's server 2 keeps nothing between the requests of the older version, so there a tool cannot ask in either style: the
#          npm packages client and server 2.4.0, with their defaults, do not get an answer through. In the old style it says that
#          the client does not support it, though the client said that it does.
#       3. In the old style nobody gets an answer from npm's server, in the new style only those who speak 2026-07-28.
# So a bot that asks "which order?" works or not by who calls it: write tools in the new style, give JavaScript's client the mode
#   `auto`, and try a tool from clients of both versions.
#
# Needs node, npm and python3 with venv. Listens on ports of the loopback address. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); servers=(); trap '(( ${#servers[@]} )) && kill "${servers[@]}"; rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install mcp==2.3.0
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/server@2.4.0 @modelcontextprotocol/node@2.1.2 \
    @modelcontextprotocol/client@2.4.0 @modelcontextprotocol/sdk@1.32.2 zod@4.6.7 >/dev/null
cat >serve.py <<'PY'
import socket
from typing import Annotated
import uvicorn
from mcp.server.mcpserver import Context, Elicit, MCPServer, Resolve
from pydantic import BaseModel
class Order(BaseModel):
    number: str
desk = MCPServer("desk")
@desk.tool()
async def old_style(context: Context) -> str:
    return (await context.elicit("Which order?", Order)).data.number
async def which() -> Elicit[Order]:
    return Elicit("Which order?", Order)
@desk.tool()
async def new_style(order: Annotated[Order, Resolve(which)]) -> str:
    return order.number
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(desk.streamable_http_app(), log_level="critical")).run(sockets=[listening])
PY
cat >serve.mjs <<'JS'
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
const order = z.object({ number: z.string() });
const content = (text) => ({ content: [{ type: 'text', text }] });
const handler = createMcpHandler(() => {
  const desk = new McpServer({ name: 'desk', version: '1' });
  desk.registerTool('old_style', {}, async (context) => {
    const answer = await context.mcpReq.elicitInput({ message: 'Which order?',
      requestedSchema: { type: 'object', properties: { number: { type: 'string' } } } });
    return content(answer.content.number);
  });
  desk.registerTool('new_style', {}, async (context) => {
    const given = acceptedContent(context.mcpReq.inputResponses, 'order', order);
    return given ? content(given.number)
      : inputRequired({ inputRequests: { order: inputRequired.elicit({ message: 'Which order?', requestedSchema: order }) } });
  });
  return desk;
});
const server = createServer(toNodeHandler(handler)).listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
cat >ask.mjs <<'JS'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as Older } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
const [name, url] = process.argv.slice(2);
const who = { name: 'client', version: '1' };
const capabilities = { elicitation: {} };
const answer = async () => ({ action: 'accept', content: { number: '4711' } });
const clients = {
  'sdk 1': () => new Older(who, { capabilities }),
  'client 2': () => new Client(who, { capabilities }),
  'client 2, auto': () => new Client(who, { capabilities, versionNegotiation: { mode: 'auto' } }),
};
const client = clients[name]();
client.setRequestHandler(name === 'sdk 1' ? ElicitRequestSchema : 'elicitation/create', answer);
await client.connect(new (name === 'sdk 1' ? OlderTransport : StreamableHTTPClientTransport)(new URL(url)));
for (const tool of ['old_style', 'new_style']) {
  const said = await client.callTool({ name: tool, arguments: {} }).then((result) => result.content[0].text, (error) => error.message);
  console.log(`${tool}: ${said.split(/[:.]/)[0]}`);
}
process.exit();
JS
cat >ask.py <<'PY'
import asyncio, re, sys
from mcp import Client
from mcp_types import ElicitResult
async def answer(context, params):
    return ElicitResult(action="accept", content={"number": "4711"})
async def main():
    async with Client(sys.argv[1], elicitation_callback=answer) as client:
        for tool in ["old_style", "new_style"]:
            try:
                said = (await client.call_tool(tool, {})).content[0].text
            except Exception as error:
                said = str(error)
            print(f"{tool}: {re.split('[:.]', said)[0]}")
asyncio.run(main())
PY
serve() { # FILE PROGRAM…: starts a server and waits until it has written its port to FILE
    "${@:2}" >"$1" 2>"$1.log" & servers+=($!)
    for _ in {1..600}; do [ -s "$1" ] && return; sleep 0.1; done
}
serve port-python python/bin/python serve.py
serve port-npm node serve.mjs
for server in python npm; do
    for client in 'sdk 1' 'client 2' 'client 2, auto'; do
        node ask.mjs "$client" "http://127.0.0.1:$(<"port-$server")/mcp" | sed "s/^/$server server, npm $client, /"
    done
    python/bin/python ask.py "http://127.0.0.1:$(<"port-$server")/mcp" | sed "s/^/$server server, PyPI mcp, /"
done | tee seen
diff - seen <<'SEEN' && echo 'as stated'
python server, npm sdk 1, old_style: 4711
python server, npm sdk 1, new_style: 4711
python server, npm client 2, old_style: 4711
python server, npm client 2, new_style: 4711
python server, npm client 2, auto, old_style: Cannot send 'elicitation/create'
python server, npm client 2, auto, new_style: 4711
python server, PyPI mcp, old_style: Cannot send 'elicitation/create'
python server, PyPI mcp, new_style: 4711
npm server, npm sdk 1, old_style: Client does not support form elicitation
npm server, npm sdk 1, new_style: Cannot request input 'order' (elicitation/create)
npm server, npm client 2, old_style: Client does not support form elicitation
npm server, npm client 2, new_style: Cannot request input 'order' (elicitation/create)
npm server, npm client 2, auto, old_style: Server-to-client requests are not available on protocol revision 2026-07-28
npm server, npm client 2, auto, new_style: 4711
npm server, PyPI mcp, old_style: Server-to-client requests are not available on protocol revision 2026-07-28
npm server, PyPI mcp, new_style: 4711
SEEN
