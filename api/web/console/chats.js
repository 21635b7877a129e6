// @ts-check
/** The inbox: lists on the left, the chat, and what is known of its visitor on the right. */
import { Icon, html, linked, signal, useEffect, useLayoutEffect, useRef, useState } from '../shared/html.js';
import { query } from '../shared/api.js';
import { seen_by } from '../shared/fold.js';
import { lookers, writers } from '../shared/moment.js';
import { browser, tab } from '../shared/keep.js';
import * as desk from './desk.js';
import { CloseChat, Transfer } from './dialogs.js';
import { call } from './session.js';
import { Avatar, Tag, ago, attempt, clock, go, moment, named, route } from './ui.js';
import { Why } from './why.js';

const ROW = 86;

/** Where there is room for what is known of the visitor. */
const WIDE = matchMedia('(min-width: 1181px)');

const LISTS = [
  { id: 'mine', name: 'Mine', filter: () => ({ status: 'active', agentId: desk.me.value.id }), none: 'No chats are assigned to you. Go online, or take one from the queue.' },
  { id: 'queue', name: 'Queue', filter: () => ({ status: 'pending' }), none: 'Nobody is waiting.' },
  { id: 'open', name: 'Active', filter: () => ({ status: 'active' }), none: 'No agent is in a chat.' },
  { id: 'closed', name: 'Closed', filter: () => ({ status: 'closed' }), none: 'No chat was closed yet.' },
];

const search = signal('');
const group = signal('');
const tag = signal('');
/** @type {import('../vendor/preact-signals-2.11.4.mjs').Signal<'transfer' | 'close' | null>} */
const dialog = signal(null);

/** @param {string} id */
function current_list(id) {
  const { filter } = LISTS.find((list) => list.id === id) ?? LISTS[0];
  return desk.list_of({ ...filter(), groupId: group.value, tagId: tag.value, search: search.value });
}

/** @param {{ chat: any, is_open: boolean, list: string, top: number }} props */
function Row({ chat, is_open, list, top }) {
  const unread = chat.status === 'closed' ? 0 : chat.unread;
  const name = named(chat.visitor);
  const about = chat.assignedAgent ? `with ${chat.assignedAgent.name}` : chat.status === 'pending' ? 'waiting' : chat.lastAgent ? `was with ${chat.lastAgent.name}` : 'nobody answered';
  const text = desk.previews.value.get(chat.id) ?? chat.lastMessage?.text ?? about;
  return html`<li style=${{ top: `${top}px` }}><a class="row" href=${`#/chats/${list}/${chat.id}`} aria-current=${is_open ? 'true' : undefined} data-chat=${chat.id}>
    <${Avatar} name=${name} id=${chat.visitor.id} />
    <span class="what"><span class="name">${name}</span><span class="text">${text}</span>
      <span class="tags">${chat.tags.slice(0, 3).map((/** @type {any} */ tag) => html`<${Tag} key=${tag.id} tag=${desk.tags.value.get(tag.id) ?? tag} />`)}</span></span>
    <span class="side"><time datetime=${desk.last(chat)}>${ago(desk.last(chat))}</time>
      ${unread ? html`<b class="badge" aria-label=${`${unread} unread`}>${unread}</b>` : null}</span></a></li>`;
}

/** @param {{ list: ReturnType<typeof desk.list_of>, name: string, none: string, open: string | undefined }} props */
function Rows({ list, name, none, open }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [view, look] = useState({ top: 0, height: 800 });
  const rows = desk.rows(list);
  useEffect(() => {
    desk.show_list(list);
    if (!list.is_used) attempt(() => desk.more(list));
  }, [list]);
  const measure = () => {
    const at = box.current;
    if (!at) return;
    look({ top: at.scrollTop, height: at.clientHeight });
    if (at.scrollTop + at.clientHeight * 2 > at.scrollHeight) attempt(() => desk.more(list));
  };
  useEffect(() => {
    const watcher = new ResizeObserver(measure);
    if (box.current) watcher.observe(box.current);
    return () => watcher.disconnect();
  }, [list]);
  const first = Math.max(0, Math.floor(view.top / ROW) - 6);
  const shown = rows.slice(first, first + Math.ceil(view.height / ROW) + 12);
  return html`<div class="rows" ref=${box} onScroll=${measure} tabindex="-1">
    <ul style=${{ height: `${rows.length * ROW}px` }} aria-label="Chats" aria-busy=${String(list.is_loading.value)}>
      ${shown.map((chat, index) => html`<${Row} key=${chat.id} chat=${chat} list=${name} is_open=${chat.id === open} top=${(first + index) * ROW} />`)}</ul>
    ${!rows.length && list.is_complete.value ? html`<p class="empty">${search.value ? 'Nothing was found.' : none}</p>` : null}
    ${list.is_loading.value && !rows.length ? html`<p class="empty" role="status">Loading…</p>` : null}</div>`;
}

/** @param {{ list: string }} props */
function Filters({ list }) {
  const counts = desk.counts.value;
  const number = { queue: counts.pending, open: counts.active };
  const late = useRef(0);
  const [text, write] = useState(search.value);
  const type = (/** @type {any} */ { target }) => {
    write(target.value);
    clearTimeout(late.current);
    late.current = setTimeout(() => (search.value = target.value.trim()), 250);
  };
  const choice = (/** @type {string} */ label, /** @type {any} */ chosen, /** @type {any} */ all) => html`<label><span class="sr">${label}</span>
    <select class="input" value=${chosen.value} onChange=${(/** @type {any} */ event) => (chosen.value = event.target.value)}>
      <option value="">${label}: all</option>
      ${[...all.values()].map((/** @type {any} */ { id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}</select></label>`;
  return html`<header class="filters">
    <ul class="tabs">${LISTS.map(({ id, name }) => html`<li key=${id}><a href=${`#/chats/${id}`} aria-current=${id === list ? 'true' : undefined}>${name}
      ${number[/** @type {'queue'} */ (id)] ? html` <span class="count">${number[/** @type {'queue'} */ (id)]}</span>` : null}</a></li>`)}</ul>
    <label class="search"><span class="sr">Search by name, e-mail or words</span><${Icon} name="search" />
      <input class="input" type="search" placeholder="Search" value=${text} onInput=${type} maxlength="200" data-search /></label>
    <div class="pair">${choice('Group', group, desk.groups.value)}${choice('Tag', tag, desk.tags.value)}</div></header>`;
}

/** @param {any} event @param {any} chat */
function sentence({ systemType, content, metadata }, chat) {
  const name = (/** @type {string} */ id) => desk.agents.value.get(id)?.name ?? 'An agent';
  switch (systemType) {
    case 'thread_started': return metadata?.previousThreadId ? 'The chat was reopened' : 'The chat began';
    case 'agent_joined': return `${name(metadata?.agentId)} ${metadata?.cause === 'routed' ? 'was chosen by the router' : 'joined'}`;
    case 'agent_left': return `${name(metadata?.agentId)} left`;
    case 'group_changed': return `Passed to ${desk.groups.value.get(metadata?.groupId)?.name ?? 'another group'}`;
    case 'thread_closed': return metadata?.closedBy?.type === 'visitor' ? `${named(chat.visitor)} closed the chat` : metadata?.closedBy?.id ? `${name(metadata.closedBy.id)} closed the chat` : 'The chat was closed';
    default: return content;
  }
}

/** @param {{ event: any, chat: any, first: boolean }} props */
function Said({ event, chat, first }) {
  const is_agent = event.authorType === 'agent';
  const author = is_agent ? desk.agents.value.get(event.authorId)?.name ?? event.authorName ?? 'Agent' : named(chat.visitor);
  return html`<li class=${is_agent ? 'said own' : 'said'}>
    ${first && html`<p class="author">${author} <time datetime=${event.createdAt}>${clock(event.createdAt)}</time></p>`}
    <div class="text" dir="auto">${linked(event.content)}</div></li>`;
}

/** @param {any} chat */
function lines(chat) {
  let author = '';
  let date = '';
  return (desk.talks.value.get(chat.id) ?? []).flatMap((event) => {
    const on = new Date(event.createdAt).toDateString();
    const first = event.authorId !== author || on !== date;
    const shown = on === date ? [] : [html`<li class="day" key=${`day ${event.id}`}>${new Date(event.createdAt).toLocaleDateString([], { dateStyle: 'full' })}</li>`];
    [author, date] = [event.type === 'message' ? event.authorId : '', on];
    shown.push(event.type === 'message'
      ? html`<${Said} key=${event.id} event=${event} chat=${chat} first=${first} />`
      : html`<li class="system" key=${event.id}>${sentence(event, chat)} · ${clock(event.createdAt)}</li>`);
    return shown;
  });
}

/** @param {{ chat: any }} props */
function Log({ chat }) {
  const log = useRef(/** @type {HTMLElement | null} */ (null));
  const follows = useRef(true);
  const events = desk.talks.value.get(chat.id);
  const pending = desk.sending.value.get(chat.id) ?? [];
  const own = events?.filter(({ authorType }) => authorType === 'agent').at(-1);
  const is_seen = own && own === events?.filter(({ type }) => type === 'message').at(-1) && seen_by(chat, 'visitor') >= own.position;
  useEffect(() => {
    const mark = () => desk.mark(chat);
    mark();
    document.addEventListener('visibilitychange', mark);
    return () => document.removeEventListener('visibilitychange', mark);
  }, [events, chat.unread, chat.assignedAgentId]);
  useLayoutEffect(() => {
    if (log.current && follows.current) log.current.scrollTop = log.current.scrollHeight;
  }, [events, pending]);
  useLayoutEffect(() => void (follows.current = true), [chat.id]);
  const scrolled = ({ currentTarget: at }) => (follows.current = at.scrollHeight - at.scrollTop - at.clientHeight < 60);
  return html`<div class="log" ref=${log} onScroll=${scrolled} tabindex="0" role="log" aria-label="Messages" aria-live="polite"><ol>${lines(chat)}
    ${pending.map((/** @type {any} */ item) => html`<li class="said own pending" key=${item.id}><div class="text" dir="auto">${linked(item.content)}</div>
      <p class="state">${item.failed ? html`Not sent: ${item.failed} <button type="button" class="button small" onClick=${() => desk.deliver(chat.id, item)}>Send again</button>
      <button type="button" class="button small" onClick=${() => desk.discard(chat.id, item)}>Discard</button>` : 'Sending'}</p></li>`)}
    ${is_seen && html`<li class="seen" key="seen">Seen</li>`}</ol>
    ${!events && html`<p class="empty" role="status">Loading…</p>`}</div>`;
}

/** @param {{ chat: any }} props */
function Composer({ chat }) {
  const kept = `draft.${chat.id}`;
  const [text, write] = useState(() => tab.read(kept) ?? '');
  useEffect(() => write(tab.read(kept) ?? ''), [chat.id]);
  const type = (/** @type {string} */ value) => {
    write(value);
    tab.write(kept, value || null);
    desk.typing(chat.id, value);
  };
  const send = () => {
    if (!text.trim()) return;
    desk.say(chat.id, text.trim());
    type('');
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const is_away = desk.me.value.status !== 'online' || !desk.me.value.acceptingChats;
  if (chat.status === 'closed') return html`<footer class="composer closed"><p class="muted">This chat is closed.</p>
    <button type="button" class="button" onClick=${() => attempt(() => desk.change('POST', chat, 'reopen'))}>Reopen</button></footer>`;
  if (chat.assignedAgentId !== desk.me.value.id) return html`<footer class="composer closed">
    <p class="muted">${chat.assignedAgent ? `${chat.assignedAgent.name} serves this chat.` : 'This visitor is waiting.'}</p>
    <button type="button" class="button primary" data-take onClick=${() => attempt(() => desk.take(chat))}>${is_away ? 'Go online and take the chat' : 'Take the chat'}</button></footer>`;
  return html`<form class="composer" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), send())}>
    <textarea class="input" rows="2" aria-label="Reply" placeholder="Write a reply" title="Enter sends, Shift + Enter begins a new line" maxlength="4000" dir="auto"
      value=${text} data-reply onKeyDown=${key} onInput=${(/** @type {any} */ event) => type(event.target.value)}></textarea>
    <button class="button primary">Send</button></form>`;
}

/** Who writes in the chat at the moment, and which colleagues look at it. @param {{ chat: any }} props */
function Moment({ chat }) {
  const writer = writers.value.get(chat.id);
  const name = (/** @type {string} */ id) => desk.agents.value.get(id)?.name ?? 'A colleague';
  const others = (lookers.value.get(chat.id) ?? []).filter((id) => id !== desk.me.value.id);
  const writes = writer && writer.id !== desk.me.value.id ? `${writer.type === 'visitor' ? named(chat.visitor) : name(writer.id)} is typing` : '';
  const looks = others.length ? `${others.map(name).join(', ')} ${others.length === 1 ? 'is' : 'are'} looking, too` : '';
  return html`<p class="moment">${[writes && (writer?.draft ? `${writes}: ${writer.draft}` : `${writes}…`), looks].filter(Boolean).join(' · ')}</p>`;
}

/** @param {{ chat: any, list: string }} props */
function Talk({ chat, list }) {
  const name = named(chat.visitor);
  const [shows_side, side] = useState(() => WIDE.matches);
  useEffect(() => {
    const fit = () => side(WIDE.matches);
    WIDE.addEventListener('change', fit);
    return () => WIDE.removeEventListener('change', fit);
  }, []);
  useEffect(() => desk.look(chat.id), [chat.id]);
  const is_open = chat.status !== 'closed';
  const may_close = is_open && (chat.assignedAgentId === desk.me.value.id || desk.is_supervisor.value);
  return html`<section class="talk" aria-label=${`Chat with ${name}`}>
    <header class="head"><a class="button icon quiet back" href=${`#/chats/${list}`} aria-label="Back to the list"><${Icon} name="back" /></a>
      <div class="title"><h1>${name}</h1><p class="muted small">${chat.status === 'pending' ? `Waiting since ${clock(chat.createdAt)}` : chat.status === 'closed' ? `Closed ${moment(chat.closedAt)}` : `With ${chat.assignedAgent?.name}`} · ${desk.groups.value.get(chat.groupId)?.name ?? ''}</p></div>
      ${is_open && html`<button type="button" class="button" data-transfer onClick=${() => (dialog.value = 'transfer')}>Transfer</button>`}
      ${may_close && html`<button type="button" class="button" data-close onClick=${() => (dialog.value = 'close')}>Close</button>`}
      <button type="button" class="button icon quiet" aria-label="About the visitor" aria-expanded=${String(shows_side)} onClick=${() => side(!shows_side)}><${Icon} name="info" /></button></header>
    <${Log} chat=${chat} /><div class="foot"><${Moment} chat=${chat} /><${Composer} chat=${chat} /></div>
    ${shows_side && html`<${Side} chat=${chat} />`}
    ${dialog.value === 'transfer' && html`<${Transfer} chat=${chat} onClose=${() => (dialog.value = null)} />`}
    ${dialog.value === 'close' && html`<${CloseChat} chat=${chat} onClose=${() => (dialog.value = null)} />`}</section>`;
}

/** @param {{ chat: any }} props */
function Side({ chat }) {
  const { visitor } = chat;
  const add = (/** @type {any} */ { target }) => {
    const tagId = target.value;
    target.value = '';
    if (tagId) attempt(() => desk.change('POST', chat, 'tags', { tagId }));
  };
  const free = [...desk.tags.value.values()].filter(({ id }) => !chat.tagIds.includes(id));
  return html`<aside class="about" aria-label="About the visitor">
    <div class="card"><${Avatar} name=${named(visitor)} id=${visitor.id} /><div><h2>${named(visitor)}</h2>
      ${visitor.email && html`<p class="small"><a href=${`mailto:${visitor.email}`}>${visitor.email}</a></p>`}
      ${visitor.phone && html`<p class="small">${visitor.phone}</p>`}</div></div>
    <h3>Tags</h3><div class="tagged">${chat.tags.map((/** @type {any} */ tag) => html`<${Tag} key=${tag.id} tag=${desk.tags.value.get(tag.id) ?? tag}
        onRemove=${() => attempt(() => desk.change('DELETE', chat, `tags/${tag.id}`))} />`)}
      ${free.length ? html`<label><span class="sr">Add a tag</span><select class="input" onChange=${add}><option value="">Add a tag</option>
        ${free.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}</select></label>` : null}</div>
    <${Earlier} chat=${chat} /><${Why} chat=${chat} /></aside>`;
}

/** @param {{ chat: any }} props */
function Earlier({ chat }) {
  const [found, show] = useState(/** @type {any[]} */ ([]));
  const word = chat.visitor.email;
  useEffect(() => {
    show([]);
    if (word) attempt(async () => show((await call('GET', `v1/conversations?${query({ search: word, limit: 10 })}`)).data.data));
  }, [word]);
  const others = found.filter(({ id, visitor }) => id !== chat.id && visitor.email === word);
  return html`<h3>Earlier chats</h3>${others.length
    ? html`<ul class="earlier">${others.map((other) => html`<li key=${other.id}><a href=${`#/chats/${other.status === 'closed' ? 'closed' : 'open'}/${other.id}`}>${moment(other.createdAt)}</a>
        <span class="muted small"> ${other.lastAgent?.name ?? ''}</span></li>`)}</ul>`
    : html`<p class="muted small">${word ? 'None with this address.' : 'The visitor has left no address.'}</p>`}`;
}

/** The keys of the inbox; none while somebody types. @param {KeyboardEvent} event */
function press(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input, textarea, select') || document.querySelector('dialog[open]')) return;
  if (browser.read('keys') === false || route.value[0] !== 'chats') return;
  const find = (/** @type {string} */ mark) => /** @type {HTMLElement | null} */ (document.querySelector(mark));
  const [, list = 'mine', open] = route.value;
  const step = (/** @type {number} */ by) => {
    const rows = desk.rows(current_list(list));
    const next = rows[Math.max(0, Math.min(rows.length - 1, rows.findIndex(({ id }) => id === open) + by))];
    if (next) go('chats', list, next.id);
  };
  /** @type {Record<string, () => void>} */
  const deeds = {
    j: () => step(1), k: () => step(-1), r: () => find('[data-reply]')?.focus(), a: () => find('[data-take]')?.click(),
    t: () => find('[data-transfer]')?.click(), x: () => find('[data-close]')?.click(), '/': () => find('[data-search]')?.focus(),
    1: () => go('chats', 'mine'), 2: () => go('chats', 'queue'), 3: () => go('chats', 'open'), 4: () => go('chats', 'closed'),
  };
  const deed = deeds[event.key];
  if (!deed) return;
  event.preventDefault();
  deed();
}

export function Chats() {
  const [, name = 'mine', id] = route.value;
  const list = current_list(name);
  const chat = id ? desk.chats.value.get(id) : null;
  useEffect(() => {
    dialog.value = null;
    if (id) attempt(() => desk.open(id));
    else desk.opened.value = null;
  }, [id]);
  useEffect(() => {
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  return html`<main class=${id ? 'inbox has-chat' : 'inbox'}>
    <section class="lists" aria-label="Lists"><${Filters} list=${name} /><${Rows} key=${list.key} list=${list} name=${name} open=${id} none=${(LISTS.find((one) => one.id === name) ?? LISTS[0]).none} /></section>
    ${chat ? html`<${Talk} key=${chat.id} chat=${chat} list=${name} />`
      : html`<section class="talk none" aria-label="Chat"><p class="muted">${id && desk.gone.value === id ? 'This chat is not yours to read, or not any more.' : id ? 'Loading…' : 'Choose a chat. The key ? lists the keys.'}</p></section>`}</main>`;
}
