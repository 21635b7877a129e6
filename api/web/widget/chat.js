// @ts-check
/** The visitor's chat: what is known of it, what is not sent yet, and how both change. */
import { Problem, alone, backoff, call, events_of_thread, new_id, pause } from '../shared/api.js';
import { batch, computed, signal } from '../shared/html.js';
import { after_message, after_reading, in_order, is_older, seen_by, with_event } from '../shared/fold.js';
import { browser } from '../shared/keep.js';
import { Live } from '../shared/live.js';
import * as moment from '../shared/moment.js';

/** @typedef {import('../shared/api.js').Place} Place */
/** @typedef {{ token: string, renewAt: number, visitorId: string, conversationId: string }} Session */
/** @typedef {{ id: string, content: string, at: string, name?: string, email?: string, failed?: string }} Unsent */

/** Threads of a reopened chat whose messages are shown. */
const THREADS_SHOWN = 3;

/** @type {import('../vendor/preact-signals-2.11.4.mjs').Signal<Session | null>} */
export const session = signal(browser.read('visitor'));
/** The conversation as the API shows it. */
export const conversation = signal(/** @type {any} */ (null));
/** Messages and system events, in order. */
export const events = signal(/** @type {any[]} */ ([]));
/** Messages that are not in the log yet, in order. */
export const unsent = signal(/** @type {Unsent[]} */ (browser.read('unsent') ?? []));
/** What the visitor has begun to write. */
export const draft = signal(/** @type {string} */ (browser.read('draft') ?? ''));
export const connection = signal(/** @type {import('../shared/live.js').State} */ ('connecting'));
/** The visitor as the site knows them. */
export const known = signal(/** @type {{ name?: string, email?: string }} */ ({}));
/** The first message, which the server has and which is not read back yet. */
const beginning = signal(/** @type {Unsent | null} */ (null));
/** What waits for the log, without what the log has already. */
export const waiting = computed(() => {
  const stored = new Set(events.value.map((event) => event.clientEventId));
  const all = [...(beginning.value ? [beginning.value] : []), ...unsent.value];
  return all.filter(({ id }, index) => !stored.has(id) && all.findIndex((other) => other.id === id) === index);
});

/** The group that the site has asked for. */
let group = '';
/** @type {Live | null} */
let live = null;

/** @param {string} groupId */
export function begin(groupId) {
  group = groupId;
  addEventListener('storage', ({ key }) => {
    // Another tab has sent or written something.
    if (key === 'livechatlog.unsent') unsent.value = browser.read('unsent') ?? [];
    if (key === 'livechatlog.draft' && !document.hasFocus()) draft.value = browser.read('draft') ?? '';
    if (key === 'livechatlog.visitor' && !session.value && browser.read('visitor')) follow(browser.read('visitor'));
  });
  if (session.value) follow(session.value);
  if (unsent.value.length) flush();
}

/** @param {string} text */
export function keepDraft(text) {
  draft.value = text;
  browser.write('draft', text || null);
  const id = conversation.value?.status !== 'closed' && session.value?.conversationId;
  if (id) moment.say_typing((frame) => live?.send(frame), id, text);
}

/** @param {string} content @param {{ name?: string, email?: string }} [visitor] for the first message */
export function say(content, visitor = {}) {
  keepUnsent([...stored(), { id: new_id(), content, at: new Date().toISOString(), ...visitor }]);
  keepDraft('');
  flush();
}

/** @param {string} id */
export function discard(id) {
  keepUnsent(stored().filter((item) => item.id !== id));
}

/** @param {string} id */
export function retry(id) {
  keepUnsent(stored().map((item) => (item.id === id ? { ...item, failed: undefined } : item)));
  flush();
}

/** Ends the chat, as the visitor may. */
export async function end() {
  const current = session.value;
  if (!current) return;
  const { data } = await authorised('POST', `v1/conversations/${current.conversationId}/close`, {
    body: { reason: 'The visitor has ended the chat.' },
  });
  keep_chat(data);
}

/** @returns {Unsent[]} */
const stored = () => (browser.works ? browser.read('unsent') ?? [] : unsent.value);

/** @param {Unsent[]} items */
function keepUnsent(items) {
  browser.write('unsent', items.length ? items : null);
  unsent.value = items;
}

/** @param {Session | null} next */
function follow(next) {
  session.value = next;
  browser.write('visitor', next);
  live?.stop();
  live = next && new Live({
    name: `visitor.${next.visitorId}`, token, load, onEvent, onEnd: forget,
    onState: (state) => (connection.value = state), onPassing,
  });
}

/** The session is over: the next message begins a new chat. */
function forget() {
  live?.stop();
  live = null;
  session.value = null;
  browser.write('visitor', null);
  connection.value = 'connecting';
  conversation.value = null;
  events.value = [];
}

/** @param {any} answer @returns {Session} */
function sessionOf({ sessionToken, expiresIn, visitorId, conversationId }) {
  // Half of its life leaves time for a visitor who comes back weeks later.
  return { token: sessionToken, renewAt: Date.now() + expiresIn * 500, visitorId, conversationId };
}

/** @param {boolean} renew */
async function token(renew) {
  const current = session.value;
  if (!current) throw new Problem(401, null);
  if (!renew && Date.now() < current.renewAt) return current.token;
  const { data } = await call('POST', 'v1/widget/session/renew', { body: { sessionToken: current.token } });
  const next = sessionOf({ ...data, conversationId: current.conversationId });
  session.value = next;
  browser.write('visitor', next);
  return next.token;
}

/** @param {string} method @param {string} path @param {import('../shared/api.js').Options} [options] */
async function authorised(method, path, options = {}) {
  return call(method, path, { ...options, token: await token(false) });
}

/** @param {Place | null} place @returns {Promise<Place>} */
async function load(place) {
  const id = session.value?.conversationId;
  const chat = await authorised('GET', `v1/conversations/${id}`, { place }).catch((problem) => {
    // The chat is gone, and with it the use of its token.
    throw [403, 404, 410].includes(problem.status) ? new Problem(401, null) : problem;
  });
  const threads = chat.data.threadIds.slice(-THREADS_SHOWN);
  const read = await Promise.all(threads.map((/** @type {string} */ thread) => events_of_thread(authorised, thread, chat.place)));
  batch(() => {
    keep_chat(chat.data);
    const found = new Map(read.flat().map((event) => [event.id, event]));
    // What came while this was read is newer.
    const newer = events.value.filter((event) => !found.has(event.id) && threads.includes(event.threadId));
    events.value = in_order([...found.values(), ...newer]);
  });
  return chat.place;
}

/** @param {any} chat */
function keep_chat(chat) {
  const current = conversation.value;
  if (current?.id !== chat.id || !is_older(chat, current)) conversation.value = chat;
}

/** @param {any} event */
function onEvent({ type, data, conversationId, position }) {
  const id = session.value?.conversationId;
  const current = conversation.value;
  if (type === 'read' && current?.id === conversationId) conversation.value = after_reading(current, position, data, 'visitor');
  if (type === 'thread_event' && conversationId === id) hear(data);
  if (type === 'conversation' && data.id === id) keep_chat(data);
  if (type === 'erased' || (type === 'removed' && data.id === id)) forget();
  if (type === 'changed' && data.id === id) load(null).catch(() => {});
}

/** @param {any} frame */
function onPassing(frame) {
  if (frame.frame !== 'ephemeral' || frame.conversationId !== session.value?.conversationId) return;
  if (frame.kind === 'typing') moment.hear(frame);
  const chat = conversation.value;
  if (frame.kind === 'queue_position' && chat) conversation.value = { ...chat, queuePosition: frame.queuePosition };
}

/** @param {any} event */
function add(event) {
  const next = with_event(events.value, event);
  if (next === events.value) return;
  events.value = next;
  moment.wrote(session.value?.conversationId ?? '', event.authorId);
}

/** An event of the stream. Only these count what is unread: they come in order. @param {any} event */
function hear(event) {
  batch(() => {
    add(event);
    if (event.type === 'message' && conversation.value) conversation.value = after_message(conversation.value, event, 'visitor');
  });
}

let marked = 0;

/** Says that the visitor has seen what is shown. */
export async function mark() {
  const newest = events.value.filter(({ authorType }) => authorType === 'agent').at(-1);
  const chat = conversation.value;
  if (!newest || !chat?.unread || Math.max(marked, seen_by(chat, 'visitor')) >= newest.position) return;
  marked = newest.position;
  await authorised('POST', `v1/threads/${newest.threadId}/read`, { body: { upTo: newest.position } }).catch(() => (marked = 0));
}

let flushing = false;

/** Sends what is not sent, one tab at a time, in order, until nothing is left. */
export async function flush() {
  if (flushing) return;
  flushing = true;
  try {
    await alone('unsent', sendAll);
  } finally {
    flushing = false;
  }
  if (stored().some((item) => !item.failed)) flush();
}

async function sendAll() {
  for (let failures = 0; ; ) {
    // Another tab may have begun the chat.
    if (!session.value && browser.read('visitor')) follow(browser.read('visitor'));
    const item = stored().find(({ failed }) => !failed);
    if (!item) return;
    try {
      await (session.value ? send(item) : start(item));
      keepUnsent(stored().filter(({ id }) => id !== item.id));
      failures = 0;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (await settle(problem)) continue;
      if (problem.passes) {
        connection.value = problem.status === 0 ? 'offline' : connection.value;
        await pause(Math.max(problem.retryAfter * 1_000, backoff(failures++)));
      } else {
        keepUnsent(stored().map((other) => (other.id === item.id ? { ...item, failed: problem.message } : other)));
      }
    }
  }
}

/** Does what a refusal asks for. @param {Problem} problem @returns {Promise<boolean>} whether to send again at once */
async function settle(problem) {
  if (!session.value) return false;
  if (problem.status === 409 && problem.code === 'chat_closed') {
    await reopen(session.value.conversationId).catch((refusal) => {
      if (refusal.code !== 'chat_open' && !refusal.passes) forget();
    });
    return true;
  }
  if (problem.status === 401 && (await token(true).catch(() => null))) return true;
  if ([401, 403, 404, 410].includes(problem.status)) {
    forget();
    return true;
  }
  return false;
}

/** @param {string} id */
async function reopen(id) {
  const { data } = await authorised('POST', `v1/conversations/${id}/reopen`);
  keep_chat(data);
}

/** Another tab may have reopened the chat. @param {Problem} refusal */
function unless_open(refusal) {
  if (refusal.code !== 'chat_open') throw refusal;
}

/**
 * The id is the key: a repetition begins no second chat. It is the message's id, too: where the answer is lost and another tab
 * knows the chat, the message is sent to the thread again and is there once.
 * @param {Unsent} item
 */
async function start({ id, content, name, email }) {
  const body = {
    initialMessage: content, clientEventId: id, name: name || known.value.name, email: email || known.value.email,
    groupId: group || undefined,
  };
  const { data } = await call('POST', 'v1/widget/session', { body, key: id });
  follow(sessionOf(data));
  // At once: a tab that opens now must not take it for a second message. It is shown here until it has come back.
  browser.write('unsent', stored().filter((item) => item.id !== id));
  beginning.value = { id, content, at: new Date().toISOString() };
  load(null).catch(() => {}).finally(() => (beginning.value = null));
}

/** @param {Unsent} item */
async function send({ id, content }) {
  const { conversationId } = /** @type {Session} */ (session.value);
  if (conversation.value?.status === 'closed') await reopen(conversationId).catch(unless_open);
  const path = `v1/conversations/${conversationId}/events`;
  const { data } = await authorised('POST', path, { body: { content, clientEventId: id } });
  add(data);
}
