// @ts-check
/** Everything that the console knows, kept true by the live stream. */
import { Problem, events_of_thread, new_id, query } from '../shared/api.js';
import { batch, computed, put, signal } from '../shared/html.js';
import { after_message, after_reading, in_order, is_older, with_event } from '../shared/fold.js';
import { Live } from '../shared/live.js';
import * as moment from '../shared/moment.js';
import { tab } from '../shared/keep.js';
import { call, leave, session, token } from './session.js';

/** @typedef {import('../shared/api.js').Place} Place */

const PAGE = 100;
const COUNT_MS = 500;

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
/** A conversation that was asked for and that the agent may not read, or not any more. */
export const gone = signal(/** @type {string | null} */ (null));

export const is_supervisor = computed(() => ['supervisor', 'admin'].includes(me.value?.role));
export const is_admin = computed(() => me.value?.role === 'admin');

/** @type {Live | null} */
let live = null;
/** @type {((chat: any, event: any, is_shown: boolean) => void) | null} */
let onMessage = null;

/** @param {(chat: any, event: any, is_shown: boolean) => void} listener hears messages in the agent's own chats, in every tab */
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
  const usual = [{ status: 'active', agentId: self.data.id }, { status: 'pending' }].map((filter) => list_of(filter));
  const current = [...new Set([...usual, ...(shown_list ? [shown_list] : [])])];
  const fresh = await Promise.all(current.map((list) => first_page(list, place)));
  const numbers = await call('GET', 'v1/conversations/counts', { place });
  const shown = opened.value;
  const talk = shown ? await read_talk(shown, place).catch(null_if_gone) : null;
  batch(() => {
    me.value = self.data;
    [agents.value, groups.value, tags.value] = reads.map(({ rows }) => rows);
    chats.value = new Map();
    talks.value = new Map();
    previews.value = new Map();
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
    if (shown && !talk && opened.value === shown) lose(shown);
    counts.value = numbers.data;
    is_loaded.value = true;
  });
  // A chat that was opened in the meantime.
  const later = opened.value;
  if (later && !talks.value.has(later)) open(later).catch(() => {});
  const places = [self.place, ...reads.map((read) => read.place), ...fresh.map((read) => read.place), numbers.place];
  return places.reduce((one, other) => (other.position < one.position ? other : one));
}

/** @param {any} problem @returns {null} */
function null_if_gone(problem) {
  if (![403, 404].includes(problem.status)) throw problem;
  return null;
}

/** @param {string} id a chat that was shown and is not the agent's to read any more */
function lose(id) {
  opened.value = null;
  gone.value = id;
}

/**
 * @typedef {object} List
 * @property {string} key
 * @property {Record<string, any>} filter as the API takes it
 * @property {import('../vendor/preact-signals-2.11.4.mjs').Signal<string[]>} ids
 * @property {string | null} cursor of the next page
 * @property {boolean} is_used whether it was shown
 * @property {Promise<void> | null} reading
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
  const list = { key, filter, ids: signal([]), cursor: '', is_used: false, reading: null, is_loading: signal(false), is_complete: signal(false) };
  lists.set(key, list);
  return list;
}

/** The list that is shown, which a reload reads again. @type {List | null} */
let shown_list = null;

/** @param {List} list */
export const show_list = (list) => void (shown_list = list);

/** Reads a list's next page; a caller that comes in the meantime waits for the same one. @param {List} list @returns {Promise<void>} */
export async function more(list) {
  if (!list.is_complete.value) await (list.reading ??= read_more(list).finally(() => (list.reading = null)));
}

/** @param {List} list */
async function read_more(list) {
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
  gone.value = null;
  const talk = await read_talk(id, null).catch(null_if_gone);
  if (!talk) return opened.value === id ? lose(id) : undefined;
  batch(() => {
    keep_chat(talk.chat);
    keep_talk(id, talk.events);
    restore_unsent(id);
  });
}

/** What was read, and what the stream has brought since. @param {string} id @param {any[]} events */
function keep_talk(id, events) {
  const known = new Set(events.map((event) => event.id));
  const newer = (talks.value.get(id) ?? []).filter((event) => !known.has(event.id));
  put(talks, id, in_order([...events, ...newer]));
}

/** @param {string} id @param {Place | null} place */
async function read_talk(id, place) {
  const { data: chat } = await call('GET', `v1/conversations/${id}`, { place });
  const threads = await Promise.all(chat.threadIds.map((/** @type {string} */ thread) => events_of_thread(call, thread, place)));
  return { chat, events: threads.flat() };
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
  if (before?.status === after?.status) return;
  if (!before) return void count_later();
  const next = { ...counts.value };
  next[before.status] = Math.max(0, next[before.status] - 1);
  if (after) next[after.status] = (next[after.status] ?? 0) + 1;
  counts.value = next;
}

let counting = 0;

/** A chat of which nothing was known may have been counted before. */
function count_later() {
  clearTimeout(counting);
  counting = setTimeout(async () => {
    const numbers = await call('GET', 'v1/conversations/counts').catch(() => null);
    if (numbers) counts.value = numbers.data;
  }, COUNT_MS);
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
    for (const chat of chats.value.values()) if (chat.visitor.id === visitorId) {
      put(previews, chat.id, undefined);
      put(talks, chat.id, undefined);
      reread('conversation', chat.id);
    }
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
    put(previews, id, undefined);
    if (before) count(before, null);
    if (opened.value === id) lose(id);
  }
  if (kind === 'agent') put(agents, id, undefined);
  if (kind === 'group') put(groups, id, undefined);
  if (kind === 'tag') put(tags, id, undefined);
}

/** @param {string} kind @param {string} id */
async function reread(kind, id) {
  try {
    const { data } = await call('GET', `v1/${kind}s/${id}`);
    EFFECTS[kind]?.({ data });
    if (kind === 'conversation' && opened.value === id) {
      const { events } = await read_talk(id, null);
      batch(() => keep_talk(id, events));
    }
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 404) forget(kind, id);
  }
}

/** @param {string} id @param {any} event */
function add(id, event) {
  const talk = talks.value.get(id);
  if (talk) put(talks, id, with_event(talk, event));
  if (event.type !== 'message') return;
  put(previews, id, event.content);
  moment.wrote(id, event.authorId);
  if (event.clientEventId) keep_unsent(id, (sending.value.get(id) ?? []).filter((item) => item.id !== event.clientEventId));
}

/** An event of the stream. Only these count what is unread: they come in order. @param {string} id @param {any} event */
function hear(id, event) {
  add(id, event);
  const chat = chats.value.get(id);
  if (event.type !== 'message' || !chat) return;
  put(chats, id, after_message(chat, event, 'agent'));
  const is_shown = opened.value === id && document.visibilityState === 'visible' && document.hasFocus();
  if (event.authorType === 'visitor' && chat.assignedAgentId === me.value?.id) onMessage?.(chat, event, is_shown);
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

/** @param {string} id @param {any[]} items what is not in the log yet */
function keep_unsent(id, items) {
  put(sending, id, items.length ? items : undefined);
  tab.write(`unsent.${id}`, items.length ? items : null);
}

/** What was not sent when the page was left. @param {string} id */
function restore_unsent(id) {
  if (sending.value.has(id)) return;
  const known = new Set((talks.value.get(id) ?? []).map((event) => event.clientEventId));
  const left = (tab.read(`unsent.${id}`) ?? []).filter((/** @type {any} */ item) => !known.has(item.id));
  keep_unsent(id, left.map((/** @type {any} */ item) => ({ ...item, failed: item.failed ?? 'The page was left.' })));
}

/** The end of what is being sent, by chat, so that messages arrive in the order in which they were written. @type {Map<string, Promise<void>>} */
const queues = new Map();

/** @param {string} id @param {string} content */
export function say(id, content) {
  deliver(id, { id: new_id(), content, at: new Date().toISOString() });
}

/** Sends a message, or sends it again; what is stored already is not stored twice. @param {string} id @param {any} item */
export function deliver(id, item) {
  discard(id, item);
  keep_unsent(id, [...(sending.value.get(id) ?? []), { ...item, failed: undefined }]);
  const turn = (queues.get(id) ?? Promise.resolve()).then(() => post(id, item));
  queues.set(id, turn);
}

/** @param {string} id @param {any} item */
export function discard(id, item) {
  keep_unsent(id, (sending.value.get(id) ?? []).filter((other) => other.id !== item.id));
}

/** @param {string} id @param {any} item */
async function post(id, item) {
  try {
    const body = { content: item.content, clientEventId: item.id };
    const { data } = await call('POST', `v1/conversations/${id}/events`, { body });
    batch(() => {
      add(id, data);
      discard(id, item);
    });
  } catch (problem) {
    const failed = /** @type {Error} */ (problem).message;
    // The event may have come although its answer did not.
    const all = sending.value.get(id) ?? [];
    keep_unsent(id, all.map((other) => (other.id === item.id ? { ...other, failed } : other)));
  }
}
