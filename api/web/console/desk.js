// @ts-check
/** Everything that the console knows, kept true by the live stream. */
import { Problem, new_id, query } from '../shared/api.js';
import { batch, computed, signal } from '../shared/html.js';
import { after_message, after_reading, is_older } from '../shared/fold.js';
import { Live } from '../shared/live.js';
import * as moment from '../shared/moment.js';
import { call, leave, session, token } from './session.js';

/** @typedef {import('../shared/api.js').Place} Place */

const PAGE = 100;

export const me = signal(/** @type {any} */ (null));
export const connection = signal(/** @type {import('../shared/live.js').State} */ ('connecting'));
export const is_loaded = signal(false);
/** By id. Each is replaced as a whole when something in it changes. */
export const agents = signal(/** @type {Map<string, any>} */ (new Map()));
export const groups = signal(/** @type {Map<string, any>} */ (new Map()));
export const tags = signal(/** @type {Map<string, any>} */ (new Map()));
export const chats = signal(/** @type {Map<string, any>} */ (new Map()));
export const counts = signal(/** @type {any} */ ({ pending: 0, active: 0, closed: 0 }));
/** The messages and system events of the chats that were opened, by conversation. */
export const talks = signal(/** @type {Map<string, any[]>} */ (new Map()));
/** What was said last, by conversation, as far as this page has heard it. */
export const previews = signal(/** @type {Map<string, string>} */ (new Map()));
/** Messages that are on their way, by conversation. */
export const sending = signal(/** @type {Map<string, any[]>} */ (new Map()));
/** The conversation that is shown. */
export const opened = signal(/** @type {string | null} */ (null));

export const is_supervisor = computed(() => ['supervisor', 'admin'].includes(me.value?.role));
export const is_admin = computed(() => me.value?.role === 'admin');

/** @type {Live | null} */
let live = null;
/** @type {((chat: any, event: any) => void) | null} */
let onMessage = null;

/** @param {(chat: any, event: any) => void} listener hears messages of visitors as they come, in one tab only */
export const on_message = (listener) => void (onMessage = listener);

/** Begins to follow, after a log-in. */
export function follow() {
  const current = session.value;
  if (!current) return;
  live = new Live({
    name: `agent.${current.id}`, token, load, onEvent,
    onState: (state) => (connection.value = state), onEnd: leave,
    onPassing: (frame) => frame.frame === 'ephemeral' && moment.hear(frame),
  });
}

/** Forgets everything, after a log-out. */
export function stop() {
  live?.stop();
  live = null;
  batch(() => {
    me.value = null;
    is_loaded.value = false;
    connection.value = 'connecting';
    for (const map of [agents, groups, tags, chats, talks, previews, sending]) map.value = new Map();
    lists.clear();
    opened.value = null;
  });
}

/** @param {import('../vendor/preact-signals-2.11.4.mjs').Signal<Map<string, any>>} map @param {string} id @param {any} value */
export function put(map, id, value) {
  const next = new Map(map.value);
  if (value === undefined) next.delete(id);
  else next.set(id, value);
  map.value = next;
}

/** All pages of a list. @param {string} path @param {Place | null} place */
async function all(path, place) {
  const found = [];
  /** @type {Place | null} */
  let first = null;
  for (let cursor = ''; ; ) {
    const { data, place: at } = await call('GET', `${path}?${query({ limit: PAGE, cursor })}`, { place });
    found.push(...data.data);
    first ??= at;
    if (!data.nextCursor) return { rows: new Map(found.map((row) => [row.id, row])), place: first };
    cursor = data.nextCursor;
  }
}

/** @param {Place | null} place @returns {Promise<Place>} */
async function load(place) {
  const [self, ...reads] = await Promise.all([
    call('GET', 'v1/auth/me', { place }), all('v1/agents', place), all('v1/groups', place), all('v1/tags', place),
  ]);
  const current = [...lists.values()].filter((list) => list.is_used);
  if (!current.length) current.push(list_of({ status: 'active', agentId: self.data.id }), list_of({ status: 'pending' }));
  const fresh = await Promise.all(current.map((list) => first_page(list, place)));
  const numbers = await call('GET', 'v1/conversations/counts', { place });
  const shown = opened.value;
  const talk = shown ? await read_talk(shown, place) : null;
  batch(() => {
    me.value = self.data;
    [agents.value, groups.value, tags.value] = reads.map(({ rows }) => rows);
    chats.value = new Map();
    talks.value = new Map();
    lists.clear();
    fresh.forEach(({ list, data }) => {
      lists.set(list.key, list);
      list.ids.value = [];
      take_page(list, data);
    });
    if (shown && talk) {
      put(chats, shown, talk.chat);
      put(talks, shown, talk.events);
    }
    counts.value = numbers.data;
    is_loaded.value = true;
  });
  const places = [self.place, ...reads.map((read) => read.place), ...fresh.map((read) => read.place), numbers.place];
  return places.reduce((one, other) => (other.position < one.position ? other : one));
}

/**
 * @typedef {object} List
 * @property {string} key
 * @property {Record<string, any>} filter as the API takes it
 * @property {import('../vendor/preact-signals-2.11.4.mjs').Signal<string[]>} ids
 * @property {string | null} cursor of the next page
 * @property {boolean} is_used whether it was shown
 * @property {import('../vendor/preact-signals-2.11.4.mjs').Signal<boolean>} is_loading
 * @property {import('../vendor/preact-signals-2.11.4.mjs').Signal<boolean>} is_complete
 */

/** @type {Map<string, List>} */
const lists = new Map();

/** The list of a filter; its first page is read when it is new. @param {Record<string, any>} filter @returns {List} */
export function list_of(filter) {
  const key = query(filter);
  const known = lists.get(key);
  if (known) return known;
  const list = { key, filter, ids: signal([]), cursor: '', is_used: false, is_loading: signal(false), is_complete: signal(false) };
  lists.set(key, list);
  return list;
}

/** Reads a list's next page. @param {List} list */
export async function more(list) {
  if (list.is_loading.value || list.is_complete.value) return;
  list.is_loading.value = true;
  try {
    const { data } = await call('GET', `v1/conversations?${query({ ...order(list), cursor: list.cursor })}`);
    batch(() => take_page(list, data));
  } finally {
    list.is_loading.value = false;
  }
}

/** @param {List} list */
const order = ({ filter }) => ({ ...filter, limit: PAGE, sort: filter.status === 'pending' ? 'longest_waiting' : 'newest' });

/** @param {List} list @param {Place | null} place */
async function first_page(list, place) {
  const { data, place: at } = await call('GET', `v1/conversations?${query(order(list))}`, { place });
  return { list, data, place: at };
}

/** @param {List} list @param {{ data: any[], nextCursor: string | null }} page */
function take_page(list, { data, nextCursor }) {
  const next = new Map(chats.value);
  for (const chat of data) if (!next.has(chat.id) || !is_older(chat, next.get(chat.id))) next.set(chat.id, chat);
  chats.value = next;
  const known = new Set(list.ids.value);
  list.ids.value = [...list.ids.value, ...data.map(({ id }) => id).filter((id) => !known.has(id))];
  list.cursor = nextCursor;
  list.is_used = true;
  list.is_complete.value = nextCursor === null;
}

/** Whether a chat belongs to a list, as far as that can be said here. @param {any} chat @param {Record<string, any>} filter */
export function belongs(chat, { status, agentId, groupId, tagId }) {
  if (!chat || (status && chat.status !== status)) return false;
  if (agentId && (chat.status === 'closed' ? chat.lastAgentId : chat.assignedAgentId) !== agentId) return false;
  if (groupId && chat.groupId !== groupId) return false;
  return !tagId || chat.tagIds.includes(tagId);
}

/** Puts a chat that has changed into the lists to which it now belongs. @param {any} chat */
function enlist(chat) {
  for (const { filter, ids, is_complete } of lists.values()) {
    if (filter.search || ids.value.includes(chat.id) || !belongs(chat, filter)) continue;
    if (filter.status !== 'pending') ids.value = [chat.id, ...ids.value];
    else if (is_complete.value) ids.value = [...ids.value, chat.id];
  }
}

/** The chats of a list in their order. @param {List} list @returns {any[]} */
export function rows(list) {
  const found = list.ids.value.map((id) => chats.value.get(id)).filter((chat) => belongs(chat, list.filter));
  if (list.filter.status === 'active') found.sort((one, other) => last(other).localeCompare(last(one)));
  return found;
}

/** @param {any} chat @returns {string} */
export const last = (chat) => chat.lastMessageAt ?? chat.createdAt;

/** Opens a chat: reads it and what was said in it. @param {string} id */
export async function open(id) {
  opened.value = id;
  const { chat, events } = await read_talk(id, null);
  batch(() => {
    keep_chat(chat);
    const newer = (talks.value.get(id) ?? []).filter(({ position }) => position > (events.at(-1)?.position ?? 0));
    put(talks, id, [...events, ...newer]);
  });
}

/** @param {string} id @param {Place | null} place */
async function read_talk(id, place) {
  const { data: chat } = await call('GET', `v1/conversations/${id}`, { place });
  const threads = await Promise.all(chat.threadIds.map((/** @type {string} */ thread) => read_thread(thread, place)));
  return { chat, events: threads.flat() };
}

/** @param {string} thread @param {Place | null} place */
async function read_thread(thread, place) {
  const found = [];
  for (let after = 0; ; ) {
    const { data } = await call('GET', `v1/threads/${thread}/events?${query({ limit: PAGE, after })}`, { place });
    found.push(...data.data);
    if (!data.nextCursor) return found;
    after = data.data.at(-1).position;
  }
}

/** @param {any} chat */
function keep_chat(chat) {
  const before = chats.value.get(chat.id);
  if (before && is_older(chat, before)) return;
  count(before, chat);
  put(chats, chat.id, chat);
  enlist(chat);
}

/** @param {any} before @param {any} after */
function count(before, after) {
  if (before?.status === after.status) return;
  const next = { ...counts.value };
  if (before) next[before.status] = Math.max(0, next[before.status] - 1);
  next[after.status] = (next[after.status] ?? 0) + 1;
  counts.value = next;
}

/** What each event does. @type {Record<string, (event: any) => void>} */
const EFFECTS = {
  thread_event: ({ conversationId, data }) => hear(conversationId, data),
  conversation: ({ data }) => keep_chat(data),
  read: ({ conversationId, position, data }) => {
    const chat = chats.value.get(conversationId);
    if (chat) put(chats, chat.id, after_reading(chat, position, data, 'agent'));
  },
  agent: ({ data }) => {
    put(agents, data.id, data);
    if (data.id === me.value?.id) me.value = data;
  },
  group: ({ data }) => {
    put(groups, data.id, data);
    const members = new Set(data.agentIds);
    const next = [...agents.value.values()].map((agent) => {
      const others = agent.groupIds.filter((/** @type {string} */ id) => id !== data.id);
      return [agent.id, { ...agent, groupIds: members.has(agent.id) ? [...others, data.id] : others }];
    });
    agents.value = new Map(/** @type {any} */ (next));
    if (data.isDefault) for (const group of groups.value.values()) if (group.id !== data.id && group.isDefault) put(groups, group.id, { ...group, isDefault: false });
  },
  tag: ({ data }) => put(tags, data.id, data),
  removed: ({ data: { kind, id } }) => forget(kind, id),
  changed: ({ data: { kind, id } }) => void reread(kind, id),
  erased: ({ data: { visitorId } }) => {
    for (const chat of chats.value.values()) if (chat.visitor.id === visitorId) reread('conversation', chat.id);
  },
};

/** @param {any} event */
function onEvent(event) {
  batch(() => EFFECTS[event.type]?.(event));
}

/** @param {string} kind @param {string} id */
function forget(kind, id) {
  if (kind === 'conversation') {
    const before = chats.value.get(id);
    put(chats, id, undefined);
    put(talks, id, undefined);
    if (before) counts.value = { ...counts.value, [before.status]: Math.max(0, counts.value[before.status] - 1) };
  }
  if (kind === 'agent') put(agents, id, undefined);
  if (kind === 'group') put(groups, id, undefined);
  if (kind === 'tag') put(tags, id, undefined);
}

/** @param {string} kind @param {string} id */
async function reread(kind, id) {
  try {
    const { data } = await call('GET', `v1/${kind === 'conversation' ? 'conversations' : `${kind}s`}/${id}`);
    EFFECTS[kind]?.({ data });
    if (kind === 'conversation' && talks.value.has(id)) put(talks, id, (await read_talk(id, null)).events);
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 404) forget(kind, id);
  }
}

/** @param {string} conversationId @param {any} event */
function hear(conversationId, event) {
  const talk = talks.value.get(conversationId);
  if (talk && !talk.some(({ id }) => id === event.id)) {
    put(talks, conversationId, [...talk, event].sort((one, other) => one.position - other.position));
  }
  if (event.type !== 'message') return;
  const chat = chats.value.get(conversationId);
  put(previews, conversationId, event.content);
  moment.wrote(conversationId, event.authorId);
  if (chat) put(chats, conversationId, after_message(chat, event, 'agent'));
  const is_shown = opened.value === conversationId && document.visibilityState === 'visible' && document.hasFocus();
  const is_mine = chat && chat.assignedAgentId === me.value?.id;
  if (event.authorType === 'visitor' && is_mine && !is_shown && live?.leads) onMessage?.(chat, event);
}

/** Says that the agent writes in a chat. @param {string} id @param {string} text */
export const typing = (id, text) => moment.say_typing((frame) => live?.send(frame), id, text);

/** Says that the agent looks at a chat, until the answer is called. @param {string} id */
export const look = (id) => moment.look((frame) => live?.send(frame), id);

/** Positions up to which marks were sent, by thread. @type {Map<string, number>} */
const marked = new Map();

/** Says that the agent has seen what the opened chat shows. @param {any} chat */
export async function mark(chat) {
  const newest = (talks.value.get(chat.id) ?? []).filter(({ type }) => type === 'message').at(-1);
  const is_seen = document.visibilityState === 'visible' && chat.assignedAgentId === me.value?.id;
  if (!newest || !is_seen || !chat.unread || (marked.get(newest.threadId) ?? 0) >= newest.position) return;
  marked.set(newest.threadId, newest.position);
  try {
    await call('POST', `v1/threads/${newest.threadId}/read`, { body: { upTo: newest.position } });
  } catch {
    // The next message brings the next mark.
    marked.delete(newest.threadId);
  }
}

/**
 * A change of a chat by its own address. The answer and the stream both bring the new state.
 * @param {string} method @param {any} chat @param {string} verb @param {unknown} [body]
 */
export async function change(method, chat, verb, body) {
  const { data } = await call(method, `v1/conversations/${chat.id}/${verb}`, { body, key: new_id() });
  if (data?.id === chat.id) batch(() => keep_chat(data));
}

/** @param {string} status @param {boolean} [accepts] */
export async function set_status(status, accepts) {
  const { data } = await call('PUT', `v1/agents/${me.value.id}/status`, { body: { status, acceptingChats: accepts } });
  batch(() => EFFECTS.agent({ data }));
}

/** Makes the agent the one who serves a chat; the agent goes online for it. @param {any} chat */
export async function take(chat) {
  if (me.value.status !== 'online' || !me.value.acceptingChats) await set_status('online', true);
  try {
    await change('POST', chat, 'assign', { agentId: me.value.id });
  } catch (problem) {
    // The router may have been faster.
    const { data } = await call('GET', `v1/conversations/${chat.id}`);
    if (data.assignedAgentId !== me.value.id) throw problem;
    batch(() => keep_chat(data));
  }
}

/** @param {string} id @param {string} content */
export async function say(id, content) {
  await deliver(id, { id: new_id(), content, at: new Date().toISOString() });
}

/** Sends a message, or sends it again; what is stored already is not stored twice. @param {string} id @param {any} item */
export async function deliver(id, item) {
  const others = () => (sending.value.get(id) ?? []).filter((other) => other.id !== item.id);
  put(sending, id, [...others(), { ...item, failed: undefined }]);
  try {
    const body = { content: item.content, clientEventId: item.id };
    const { data } = await call('POST', `v1/conversations/${id}/events`, { body });
    batch(() => {
      hear(id, data);
      put(sending, id, others());
    });
  } catch (problem) {
    put(sending, id, [...others(), { ...item, failed: /** @type {Error} */ (problem).message }]);
  }
}
