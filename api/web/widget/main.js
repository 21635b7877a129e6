// @ts-check
/** The panel of the widget: a form first, then the chat. */
import { Icon, html, linked, render, signal, useEffect, useLayoutEffect, useRef, useState } from '../shared/html.js';
import { seen_by } from '../shared/fold.js';
import { writers } from '../shared/moment.js';
import * as chat from './chat.js';
import { english, fill, texts as load_texts } from './texts.js';

const about = new URLSearchParams(location.hash.slice(1));
const host = window.parent === window ? '' : about.get('origin') ?? '';
const words = signal(english);
const language = signal('en');
/** Whether the visitor sees the panel. */
const shown = signal(window.parent === window);
const visible = signal(document.visibilityState === 'visible');
document.addEventListener('visibilitychange', () => (visible.value = document.visibilityState === 'visible'));

/** @param {object} message to the site's page, which learns nothing of what is said */
const post = (message) => host && window.parent.postMessage(message, host);

/** @param {string} at */
const time = (at) => new Intl.DateTimeFormat(language.value, { hour: 'numeric', minute: '2-digit' }).format(new Date(at));
/** @param {string} at */
const day = (at) => new Intl.DateTimeFormat(language.value, { weekday: 'long', day: 'numeric', month: 'long' }).format(new Date(at));

function standing() {
  const texts = words.value;
  const current = chat.conversation.value;
  if (!current) return '';
  if (current.status === 'closed') return texts.closed;
  if (current.assignedAgent) return fill(texts.with, current.assignedAgent.name);
  const place = current.queuePosition;
  if (!place) return texts.waiting;
  return place === 1 ? texts.next : fill(texts.place, String(place));
}

function Head() {
  const texts = words.value;
  const is_open = chat.conversation.value && chat.conversation.value.status !== 'closed';
  const [asks, ask] = useState(false);
  const [trouble, report] = useState('');
  const end = () => {
    report('');
    chat.end().catch(() => report(texts.failed)).finally(() => ask(false));
  };
  return html`<header class="head">
    <div><h1>${texts.title}</h1><p role="status">${standing()}</p>${trouble && html`<p class="error" role="alert">${trouble}</p>`}</div>
    ${is_open && !asks && html`<button type="button" class="button small quiet" onClick=${() => ask(true)}>${texts.end}</button>`}
    ${is_open && asks && html`<button type="button" class="button small danger" onClick=${end}>
        ${texts.endSure}</button>
      <button type="button" class="button small quiet" onClick=${() => ask(false)}>${texts.keep}</button>`}
    ${host && html`<button type="button" class="button icon quiet" aria-label=${texts.close} onClick=${() => post({ close: true })}>
      <${Icon} name="close" /></button>`}
  </header>`;
}

function Form() {
  const texts = words.value;
  const [wrong, report] = useState('');
  const [missing, complain] = useState('');
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const field = (/** @type {string} */ name) => String(new FormData(form).get(name) ?? '').trim();
    const email = /** @type {HTMLInputElement | null} */ (form.elements.namedItem('email'));
    if (email && !email.validity.valid) {
      report(texts.invalidEmail);
      email.focus();
    } else if (!field('message')) {
      complain(texts.empty);
      /** @type {HTMLElement | null} */ (form.querySelector('textarea'))?.focus();
    } else {
      chat.say(field('message'), { name: field('name'), email: field('email') });
      post({ event: 'started' });
    }
  };
  const { name, email } = chat.known.value;
  return html`<form class="form" onSubmit=${submit} novalidate>
    <div><h2>${texts.greeting}</h2><p class="muted">${texts.about}</p></div>
    ${!name && html`<label class="field"><span>${texts.name} (${texts.optional})</span>
      <input class="input" name="name" autocomplete="name" maxlength="200" /></label>`}
    ${!email && html`<label class="field"><span>${texts.email} (${texts.optional})</span>
      <input class="input" name="email" type="email" autocomplete="email" maxlength="254" dir="ltr" aria-invalid=${String(!!wrong)}
        aria-describedby="wrong" onInput=${() => report('')} />
      <span class="error" id="wrong" role="alert">${wrong}</span></label>`}
    <label class="field"><span>${texts.message}</span>
      <textarea class="input" name="message" required maxlength="4000" value=${chat.draft.value} data-focus
        aria-invalid=${String(!!missing)} aria-describedby="missing"
        onInput=${(/** @type {any} */ event) => (complain(''), chat.keepDraft(event.target.value))}></textarea>
      <span class="error" id="missing" role="alert">${missing}</span></label>
    <button class="button primary">${texts.start}</button>
  </form>`;
}

/** @param {{ event: any, first: boolean }} props */
function Said({ event, first }) {
  const texts = words.value;
  const is_own = event.authorType === 'visitor';
  const author = is_own ? texts.you : event.authorName ?? texts.agent;
  return html`<div class=${is_own ? 'said own' : 'said'}>
    ${first && html`<span class=${is_own ? 'sr' : 'author'}>${author}</span>`}
    <div class="text" dir="auto" title=${time(event.createdAt)}>${linked(event.content)}</div>
  </div>`;
}

/** @param {{ item: import('./chat.js').Unsent }} props */
function Pending({ item }) {
  const texts = words.value;
  return html`<div class="said own pending">
    <div class="text" dir="auto">${linked(item.content)}</div>
    <span class="state">${item.failed ? `${texts.unsent}: ${item.failed}` : texts.sending}
      ${item.failed && html`<button type="button" onClick=${() => chat.retry(item.id)}>${texts.again}</button>
        <button type="button" onClick=${() => chat.discard(item.id)}>${texts.discard}</button>`}</span>
  </div>`;
}

/** The name of an agent who takes part or has written. @param {string} id @returns {string} */
function name_of(id) {
  const { assignedAgent, lastAgent } = chat.conversation.value ?? {};
  const found = [assignedAgent, lastAgent].find((agent) => agent?.id === id)?.name;
  return found ?? chat.events.value.find(({ authorId }) => authorId === id)?.authorName ?? words.value.agent;
}

/** @param {any} event @returns {string} */
function system({ systemType, content, metadata }) {
  const texts = words.value;
  const name = name_of(metadata?.agentId);
  const sentences = {
    thread_started: texts.began, thread_closed: texts.closed, group_changed: texts.moved,
    agent_joined: fill(texts.joined, name), agent_left: fill(texts.left, name),
  };
  return sentences[/** @type {keyof typeof sentences} */ (systemType)] ?? content;
}

function lines() {
  let author = '';
  let date = '';
  return chat.events.value.flatMap((event) => {
    const shown = [];
    const on = new Date(event.createdAt).toDateString();
    if (on !== date) shown.push(html`<p class="day" key=${`day ${event.id}`}>${day(event.createdAt)}</p>`);
    const first = event.authorId !== author || on !== date;
    [author, date] = [event.type === 'message' ? event.authorId : '', on];
    shown.push(event.type === 'message'
      ? html`<${Said} key=${event.id} event=${event} first=${first} />`
      : html`<p class="system" key=${event.id}>${system(event)}</p>`);
    return shown;
  });
}

function Log() {
  const log = useRef(/** @type {HTMLElement | null} */ (null));
  const follows = useRef(true);
  const last = chat.events.value.at(-1);
  const is_seen = last?.authorType === 'visitor' && seen_by(chat.conversation.value, 'agent') >= last.position;
  const pending = chat.waiting.value;
  useLayoutEffect(() => {
    const element = log.current;
    if (element && (follows.current || pending.length)) element.scrollTop = element.scrollHeight;
  }, [chat.events.value, pending, shown.value]);
  const scrolled = ({ currentTarget: at }) => (follows.current = at.scrollHeight - at.scrollTop - at.clientHeight < 40);
  return html`<div class="log" role="log" aria-live="polite" aria-label=${words.value.messages} tabindex="0" ref=${log} onScroll=${scrolled}>
    ${lines()} ${is_seen && html`<p class="seen">${words.value.seen}</p>`} ${pending.map((item) => html`<${Pending} key=${item.id} item=${item} />`)}
    ${!last && !pending.length && html`<p class="system">${words.value.loading}</p>`}
  </div>`;
}

/** Says that the agent writes. */
function Moment() {
  const writer = writers.value.get(chat.session.value?.conversationId ?? '');
  const is_agent = writer?.type === 'agent';
  return html`<p class="moment">${is_agent && `${fill(words.value.typing, name_of(writer.id))}…`}</p>`;
}

function Composer() {
  const texts = words.value;
  const send = () => {
    const text = chat.draft.value.trim();
    if (text) chat.say(text);
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const is_closed = chat.conversation.value?.status === 'closed';
  return html`<form class="composer" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), send())}>
    <textarea class="input" rows="1" aria-label=${texts.write} placeholder=${is_closed ? texts.reopen : texts.write} maxlength="4000"
      dir=${chat.draft.value ? 'auto' : texts.direction} data-focus value=${chat.draft.value} onKeyDown=${key}
      onInput=${(/** @type {any} */ event) => chat.keepDraft(event.target.value)}></textarea>
    <button class="button primary" aria-label=${texts.send}><${Icon} name="send" /></button>
  </form>`;
}

function App() {
  const has_chat = chat.session.value || chat.unsent.value.length;
  const is_offline = chat.connection.value === 'offline';
  return html`<main class="widget" aria-label=${words.value.title}>
    <${Head} />
    ${is_offline && has_chat ? html`<p class="offline" role="status">${words.value.offline}</p>` : html`<span></span>`}
    ${has_chat ? html`<${Log} /><div><${Moment} /><${Composer} /></div>` : html`<${Form} />`}
  </main>`;
}

/** Reports what the visitor has seen, and what not: to the server, and to the button on the site's page. */
function Unread() {
  const count = chat.conversation.value?.unread ?? 0;
  const is_seen = shown.value && visible.value;
  useEffect(() => {
    if (is_seen) chat.mark();
  }, [is_seen, chat.events.value, count]);
  useEffect(() => void post({ unread: shown.value ? 0 : count }), [count, shown.value]);
  const newest = chat.events.value.filter(({ authorType }) => authorType === 'agent').at(-1)?.position ?? 0;
  const before = useRef(newest);
  useEffect(() => {
    if (before.current && newest > before.current) post({ event: 'message' });
    before.current = Math.max(before.current, newest);
  }, [newest]);
  return null;
}

function focus() {
  /** @type {HTMLElement | null} */ (document.querySelector('[data-focus]'))?.focus();
}

addEventListener('message', ({ source, origin, data }) => {
  if (source !== window.parent || origin !== host || typeof data !== 'object') return;
  if ('shown' in data) {
    shown.value = data.shown;
    if (data.shown && data.focus) focus();
  }
  if (data.identify) {
    const text = (/** @type {unknown} */ value) => (typeof value === 'string' ? value.slice(0, 200) : undefined);
    chat.known.value = { name: text(data.identify.name), email: text(data.identify.email) };
  }
});
addEventListener('keydown', ({ key }) => key === 'Escape' && post({ close: true }));

const { code, texts } = await load_texts(about.get('lang') || navigator.language);
words.value = texts;
language.value = code;
document.documentElement.lang = code;
document.documentElement.dir = texts.direction;
document.title = texts.title;
chat.begin(about.get('group') ?? '');
render(html`<${App} /><${Unread} />`, /** @type {Element} */ (document.getElementById('app')));
post({ ready: true });
