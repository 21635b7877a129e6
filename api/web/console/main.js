// @ts-check
/** The console: the log-in, the frame around all views, and the keys that work everywhere. */
import { Icon, computed, effect, html, render, signal, useEffect, useState } from '../shared/html.js';
import { Problem } from '../shared/api.js';
import { browser } from '../shared/keep.js';
import { Account } from './account.js';
import { Audit } from './audit.js';
import { Board } from './board.js';
import { Chats } from './chats.js';
import * as desk from './desk.js';
import { alert_once } from './alerts.js';
import { Agents, Groups, Tags } from './people.js';
import { log_in, log_out, restore, session } from './session.js';
import { Avatar, Dialog, Notice, attempt, go, route } from './ui.js';

function LogIn() {
  const [problem, report] = useState('');
  const [is_busy, busy] = useState(false);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    busy(true);
    report('');
    try {
      await log_in(String(fields.get('email')), String(fields.get('password')));
    } catch (refusal) {
      report(/** @type {Problem} */ (refusal).message);
      busy(false);
    }
  };
  return html`<main class="login"><form class="fields" onSubmit=${submit}>
    <h1>LiveChatLog</h1><p class="muted">Log in to answer your visitors.</p>
    <label class="field"><span>E-mail</span><input class="input" name="email" type="text" inputmode="email" autocomplete="username"
      required autofocus /></label>
    <label class="field"><span>Password</span><input class="input" name="password" type="password" autocomplete="current-password"
      required /></label>
    <p class="error" role="alert">${problem}</p>
    <button class="button primary" disabled=${is_busy}>Log in</button></form></main>`;
}

const VIEWS = [
  { id: 'chats', name: 'Chats', icon: 'chat', view: Chats },
  { id: 'board', name: 'Overview', icon: 'board', view: Board, for: 'supervisor' },
  { id: 'agents', name: 'Agents', icon: 'people', view: Agents },
  { id: 'groups', name: 'Groups', icon: 'group', view: Groups },
  { id: 'tags', name: 'Tags', icon: 'tag', view: Tags },
  { id: 'audit', name: 'Audit', icon: 'log', view: Audit, for: 'admin' },
  { id: 'account', name: 'Account', icon: 'user', view: Account },
];

const allowed = computed(() => VIEWS.filter((view) =>
  !view.for || (view.for === 'admin' ? desk.is_admin.value : desk.is_supervisor.value)));

const unread = computed(() => {
  const mine = [...desk.chats.value.values()].filter((chat) => chat.assignedAgentId === desk.me.value?.id);
  return mine.reduce((sum, chat) => sum + chat.unread, 0);
});

function Presence() {
  const self = desk.me.value;
  const change = (/** @type {any} */ event) => attempt(() => desk.set_status(event.target.value));
  return html`<div class="presence"><${Avatar} name=${self.name} id=${self.id} status=${self.status} />
    <label><span class="sr">Your status</span><select class="input" value=${self.status} onChange=${change}>
      <option value="online">Online</option><option value="away">Away</option><option value="offline">Offline</option></select></label>
    <button type="button" class="button icon quiet" title="Log out" aria-label="Log out" onClick=${() => log_out()}><${Icon} name="out" /></button>
  </div>`;
}

function Rail() {
  const [current] = route.value;
  return html`<nav class="rail" aria-label="Views">
    <p class="brand">LiveChatLog</p>
    <ul>${allowed.value.map(({ id, name, icon }) => html`<li key=${id}><a href=${`#/${id}`} aria-current=${current === id ? 'page' : undefined}>
      <${Icon} name=${icon} /><span>${name}</span>
      ${id === 'chats' && unread.value ? html`<b class="badge" aria-label=${`${unread.value} unread`}>${unread.value}</b>` : null}</a></li>`)}</ul>
    <${Presence} /></nav>`;
}

const BANNERS = { offline: 'No connection. What you see may be out of date. Connecting again…', connecting: '', live: '' };

const KEYS = [
  ['j, k', 'next and previous chat'], ['Enter', 'open the chat'], ['r', 'write a reply'], ['a', 'take the chat'], ['t', 'transfer it'],
  ['x', 'close it'], ['/', 'search'], ['1 to 4', 'switch lists'], ['Esc', 'leave a field or window'], ['?', 'this list'],
];

export const helps = signal(false);

function Help() {
  return html`<${Dialog} title="Keys" onClose=${() => (helps.value = false)}><dl class="keys">
    ${KEYS.map(([key, use]) => html`<dt><kbd>${key}</kbd></dt><dd>${use}</dd>`)}</dl>
    <p class="muted small">Single keys can be switched off under Account.</p></${Dialog}>`;
}

function Shell() {
  const [current] = route.value;
  const found = allowed.value.find(({ id }) => id === current) ?? VIEWS[0];
  const View = found.view;
  useEffect(() => void (document.title = `${unread.value ? `(${unread.value}) ` : ''}${found.name} · LiveChatLog`), [unread.value, found]);
  return html`<div class="shell"><${Rail} />
    <div class="stage">
      <p class="banner" role="status" hidden=${!BANNERS[desk.connection.value]}>${BANNERS[desk.connection.value]}</p>
      <${View} /></div>
    <${Notice} />${helps.value && html`<${Help} />`}</div>`;
}

function App() {
  if (!session.value) return html`<${LogIn} />`;
  if (!desk.is_loaded.value || !desk.me.value) {
    const is_offline = desk.connection.value === 'offline';
    return html`<main class="login" aria-busy="true"><p class="muted" role="status">
      ${is_offline ? 'The server cannot be reached. Trying again…' : 'Loading…'}</p></main>`;
  }
  return html`<${Shell} />`;
}

addEventListener('keydown', (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === 'Escape' && target.matches?.('input, textarea, select')) return target.blur();
  if (event.key !== '?' || event.ctrlKey || target.matches?.('input, textarea, select') || browser.read('keys') === false) return;
  helps.value = true;
});

await restore();
let followed = '';
effect(() => {
  const id = session.value?.id ?? '';
  if (id === followed) return;
  followed = id;
  // Outside of the effect: what is changed here is not what it follows.
  queueMicrotask(() => {
    desk.stop();
    if (id) desk.follow();
  });
});
desk.on_message(alert_once);
if (!location.hash) go('chats', 'mine');
render(html`<${App} />`, /** @type {Element} */ (document.getElementById('app')));
