#!/usr/bin/env bash
# Answers in parts, @defer and subscriptions over HTTP, between a GraphQL server and the two clients most used with it.
#
# Versions: npm graphql 17.1.0, graphql-yoga 5.24.1 with @graphql-yoga/plugin-defer-stream 3.24.1; @apollo/client 4.3.8,
#           @urql/core 6.0.3, graphql-sse 2.6.1; Node.js 20 or newer.
# Expected: with graphql 17 the server sends the form of incremental delivery that graphql 17 has (`pending`, `completed`), above all
#           where the client asks for it by `incrementalSpec=v0.2`, and refuses what it cannot send. A subscription of three items
#           gives a client three.
# Seen: 1. Yoga sends the form of 2022 (`path`, `hasNext`), whichever the client asks for, with status 200. Apollo Client's
#          GraphQL17Alpha9Handler, named after the server's library, shows the first part and then fails; its
#          Defer20220824Handler works; without a handler each query with @defer fails.
#       2. urql hands out the last item of a subscription twice when the server ends the stream properly, as servers do when
#          they restart: one message too many in the chat. graphql-sse gives each item once.
#       3. Apollo Client's subscriptions over HTTP ask for a multipart form that Yoga answers with 406.
# So the choice of the handler hangs on the server's executor, not on the version of graphql; count messages by their ids.
#
# Needs node and npm. Listens on a port of the loopback address. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund graphql@17.1.0 graphql-yoga@5.24.1 @graphql-yoga/plugin-defer-stream@3.24.1 \
    @apollo/client@4.3.8 rxjs@7.8.2 @urql/core@6.0.3 graphql-sse@2.6.1 >/dev/null
cat >try.mjs <<'JS'
import { createServer } from 'node:http';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Defer20220824Handler, GraphQL17Alpha9Handler } from '@apollo/client/incremental';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { Client, fetchExchange } from '@urql/core';
import { experimentalExecuteIncrementally, extendSchema, parse } from 'graphql';
import { createClient } from 'graphql-sse';
import { createSchema, createYoga } from 'graphql-yoga';
const wait = (milliseconds, value) => new Promise((resolve) => { setTimeout(resolve, milliseconds, value); });
const schema = createSchema({
  typeDefs: 'type Chat { id: ID! summary: String } type Query { chat: Chat } type Subscription { message: Int! }',
  resolvers: {
    Query: { chat: () => ({ id: 1 }) },
    Chat: { summary: () => wait(200, 'late') },
    Subscription: { message: { subscribe: async function* messages() {
      for (const message of [1, 2, 3]) yield wait(50, { message });
    } } },
  },
});
const server = createServer(createYoga({ schema, plugins: [useDeferStream()], logging: false })).listen(0, '127.0.0.1');
await new Promise((resolve) => { server.on('listening', resolve); });
const url = `http://127.0.0.1:${server.address().port}/graphql`;
const chat = '{ chat { id ... @defer { summary } } }';
const form = (text) => [...new Set(text.match(/\b(pending|completed|path|hasNext)\b/g))].sort();
const own = await experimentalExecuteIncrementally({ document: parse(chat),
  schema: extendSchema(schema, parse('directive @defer on INLINE_FRAGMENT')) });
const parts = [own.initialResult];
for await (const part of own.subsequentResults) parts.push(part);
console.log('graphql itself:', ...form(JSON.stringify(parts)));
const post = (accept) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', accept },
  body: JSON.stringify({ query: chat }) });
for (const accept of ['multipart/mixed;incrementalSpec=v0.2', 'multipart/mixed;deferSpec=20220824']) {
  const answer = await post(accept);
  console.log(`asked for ${accept}: ${answer.status}, ${answer.headers.get('content-type').split(';')[0]} with`,
    ...form(await answer.text()));
}
for (const [name, incrementalHandler] of [['no handler', undefined], ['Defer20220824Handler', new Defer20220824Handler()],
  ['GraphQL17Alpha9Handler', new GraphQL17Alpha9Handler()]]) {
  const client = new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache(), incrementalHandler });
  const seen = [];
  const watched = client.watchQuery({ query: gql(chat), fetchPolicy: 'network-only' }).subscribe(({ data, error }) => {
    if (data?.chat) seen.push(data.chat.summary ?? 'first part');
    if (error) seen.push(error.name);
  });
  await wait(1500);
  watched.unsubscribe();
  console.log(`Apollo Client, ${name}:`, [...new Set(seen)].join(', '));
}
const apollo = new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache() });
const urql = new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true });
const sse = createClient({ url });
const subscribers = {
  'Apollo Client': (next) => apollo.subscribe({ query: gql('subscription { message }') }).subscribe(
    ({ data, error }) => next(data?.message ?? `${error.name} ${error.statusCode}`)),
  urql: (next) => urql.subscription('subscription { message }', {}).subscribe(({ data }) => next(data.message)),
  'graphql-sse': (next) => sse.subscribe({ query: 'subscription { message }' },
    { next: ({ data }) => next(data.message), error() {}, complete() {} }),
};
for (const [name, subscribe] of Object.entries(subscribers)) {
  const seen = [];
  subscribe((item) => seen.push(item));
  await wait(1500);
  console.log(`${name}'s subscription:`, seen.join(', '));
}
process.exit();
JS
node try.mjs | tee seen
diff - seen <<'SEEN' && echo 'as stated'
graphql itself: completed hasNext path pending
asked for multipart/mixed;incrementalSpec=v0.2: 200, multipart/mixed with hasNext path
asked for multipart/mixed;deferSpec=20220824: 200, multipart/mixed with hasNext path
Apollo Client, no handler: Invariant Violation
Apollo Client, Defer20220824Handler: first part, late
Apollo Client, GraphQL17Alpha9Handler: first part, Invariant Violation
Apollo Client's subscription: ServerError 406
urql's subscription: 1, 2, 3, 3
graphql-sse's subscription: 1, 2, 3
SEEN
