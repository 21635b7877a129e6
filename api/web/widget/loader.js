// @ts-check
/*
 * The button of the chat. A site embeds it with <script async src="https://chat.example/widget.js"></script>; attributes:
 * data-lang, data-group (the id of a group), data-side="left". The panel is an iframe of the chat's own origin, made when it is
 * first opened: before that there is this one request, no cookie, no storage and no connection.
 */
(() => {
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  if (!script || 'LiveChatLog' in window) return;
  const base = new URL('.', script.src);
  const { lang = document.documentElement.lang || 'en', group = '', side = 'right', label = 'Chat with us' } = script.dataset;

  const STYLE = `
    :host { all: initial; position: fixed; z-index: 2147483000; inset: auto 20px 20px auto; font: 15px/1.4 system-ui, sans-serif;
      color-scheme: light dark; }
    :host([data-side="left"]) { inset: auto auto 20px 20px; }
    button { all: unset; box-sizing: border-box; display: grid; place-items: center; width: 56px; height: 56px; border-radius: 28px;
      background: #1f5fae; color: #fff; cursor: pointer; box-shadow: 0 2px 6px rgb(20 30 50 / 20%), 0 8px 24px rgb(20 30 50 / 22%);
      transition: background-color 120ms; position: relative; }
    button:hover { background: #174a8b; }
    button:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px #1f5fae; }
    svg { width: 26px; height: 26px; }
    .badge { position: absolute; top: -4px; right: -4px; min-width: 22px; height: 22px; padding: 0 5px; box-sizing: border-box;
      border-radius: 11px; background: #a8232c; color: #fff; font: 600 12px/22px system-ui, sans-serif; text-align: center; }
    .panel { position: absolute; bottom: 72px; right: 0; width: 384px; height: min(640px, calc(100vh - 112px)); border-radius: 14px;
      overflow: hidden; background: #fff; box-shadow: 0 4px 12px rgb(20 30 50 / 14%), 0 16px 48px rgb(20 30 50 / 24%); }
    :host([data-side="left"]) .panel { right: auto; left: 0; }
    iframe { border: 0; width: 100%; height: 100%; display: block; color-scheme: light dark; }
    .note { display: grid; place-content: center; gap: 12px; height: 100%; padding: 24px; text-align: center; color: #1b2430; }
    .note button { width: auto; height: 40px; padding: 0 16px; border-radius: 8px; box-shadow: none; justify-self: center; }
    [hidden] { display: none !important; }
    @media (prefers-color-scheme: dark) { .panel { background: #1a2029; } .note { color: #e8ecf1; } }
    @media (max-width: 480px), (max-height: 480px) {
      .panel { position: fixed; inset: 0; width: auto; height: auto; border-radius: 0; }
      :host([data-open]) > button { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { button { transition: none; } }`;

  /** @param {string} name @param {Record<string, string>} [attributes] */
  const make = (name, attributes = {}) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  /** @param {string} d */
  const picture = (d) => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    const looks = { viewBox: '0 0 24 24', fill: 'none', stroke: 'currentColor', 'stroke-width': '2', 'stroke-linecap': 'round',
      'stroke-linejoin': 'round', 'aria-hidden': 'true' };
    for (const [key, value] of Object.entries(looks)) svg.setAttribute(key, value);
    path.setAttribute('d', d);
    svg.append(path);
    return { svg, path };
  };
  const BUBBLE = 'M4 5h16v11h-9l-4 4v-4H4z';
  const CROSS = 'M6 6l12 12M18 6L6 18';

  const host = make('livechatlog-widget', { 'data-side': side });
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const button = /** @type {HTMLButtonElement} */ (make('button', { type: 'button', 'aria-label': label, 'aria-expanded': 'false' }));
  const icon = picture(BUBBLE);
  const badge = make('span', { class: 'badge', hidden: '', 'aria-hidden': 'true' });
  button.append(icon.svg, badge);
  const panel = make('div', { class: 'panel', hidden: '' });
  root.append(panel, button);

  /** @type {HTMLIFrameElement | null} */
  let frame = null;
  let is_ready = false;
  let is_open = false;
  /** @type {object[]} What the panel is to hear once it is there. */
  const waiting = [];
  /** @type {Map<string, Set<(detail: unknown) => void>>} */
  const listeners = new Map();

  /** @param {string} name @param {unknown} [detail] */
  const emit = (name, detail) => listeners.get(name)?.forEach((listener) => listener(detail));

  /** @param {object} message */
  const post = (message) => {
    if (is_ready) frame?.contentWindow?.postMessage(message, base.origin);
    else waiting.push(message);
  };

  /** Whether this tab has opened the chat before: then it comes back on the site's next page. */
  const remembered = {
    get: () => { try { return sessionStorage.getItem('livechatlog.widget'); } catch { return null; } },
    set: (/** @type {string} */ state) => { try { sessionStorage.setItem('livechatlog.widget', state); } catch { /* works without */ } },
  };

  const load = () => {
    panel.replaceChildren();
    is_ready = false;
    const about = new URLSearchParams({ origin: location.origin, lang, group });
    frame = /** @type {HTMLIFrameElement} */ (make('iframe', { title: label, src: `${new URL('widget/', base)}#${about}` }));
    panel.append(frame);
    const late = setTimeout(() => is_ready || fail(), 15_000);
    frame.addEventListener('load', () => setTimeout(() => { clearTimeout(late); if (!is_ready) fail(); }, 4_000));
  };

  let failures = 0;
  const fail = () => {
    const note = make('div', { class: 'note', role: 'status' });
    const text = make('p');
    text.textContent = 'The chat cannot be reached at the moment.';
    const again = make('button', { type: 'button' });
    again.textContent = 'Try again';
    again.addEventListener('click', load);
    note.append(text, again);
    frame = null;
    panel.replaceChildren(note);
    failures = Math.min(failures + 1, 6);
    setTimeout(() => note.isConnected && load(), 2_000 * 2 ** failures * (0.5 + Math.random() / 2));
  };

  /** @param {boolean} open @param {boolean} [focus] */
  const show = (open, focus = true) => {
    if (open === is_open) return;
    is_open = open;
    if (!panel.childNodes.length) load();
    panel.hidden = !open;
    host.toggleAttribute('data-open', open);
    button.setAttribute('aria-expanded', String(open));
    icon.path.setAttribute('d', open ? CROSS : BUBBLE);
    remembered.set(open ? 'open' : 'closed');
    post({ shown: open, focus });
    if (open && focus) frame?.focus();
    if (!open && focus) button.focus();
    emit(open ? 'open' : 'close');
  };

  /** @param {number} count */
  const unread = (count) => {
    badge.hidden = !count;
    badge.textContent = count > 9 ? '9+' : String(count);
    button.setAttribute('aria-label', count ? `${label}, ${count} new` : label);
    emit('unread', count);
  };

  addEventListener('message', ({ source, origin, data }) => {
    if (!frame || source !== frame.contentWindow || origin !== base.origin || typeof data !== 'object') return;
    if (data.ready) {
      is_ready = true;
      failures = 0;
      waiting.splice(0).forEach(post);
    }
    if (data.close) show(false);
    if (typeof data.unread === 'number') unread(data.unread);
    if (typeof data.event === 'string') emit(data.event, data.detail);
  });
  button.addEventListener('click', () => show(!is_open));
  root.addEventListener('keydown', (event) => /** @type {KeyboardEvent} */ (event).key === 'Escape' && is_open && show(false));

  const api = Object.freeze({
    open: () => show(true),
    close: () => show(false),
    toggle: () => show(!is_open),
    /** @param {{ name?: string, email?: string }} visitor */
    identify: ({ name, email } = {}) => post({ identify: { name, email } }),
    /** @param {'open' | 'close' | 'unread' | 'started' | 'message'} name @param {(detail: any) => void} listener */
    on: (name, listener) => {
      listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
      return () => listeners.get(name)?.delete(listener);
    },
  });
  Object.defineProperty(window, 'LiveChatLog', { value: api });
  const begin = () => {
    document.body.append(host);
    const state = remembered.get();
    if (state === 'open') show(true, false);
    else if (state) load();
    dispatchEvent(new Event('livechatlog'));
  };
  if (document.body) begin();
  else addEventListener('DOMContentLoaded', begin);
})();
