// @ts-check
/** Small pieces that all views share. */
import { Problem } from '../shared/api.js';
import { Icon, html, signal, useEffect, useRef, useState } from '../shared/html.js';

/** The address of the view: `#/chats/mine/ID`. */
export const route = signal(location.hash.slice(2).split('/'));
addEventListener('hashchange', () => (route.value = location.hash.slice(2).split('/')));

/** @param {string[]} parts */
export const go = (...parts) => (location.hash = `/${parts.join('/')}`);

/** The time, for what says how long ago something was. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 15_000);

const SPANS = [['day', 86_400], ['hour', 3_600], ['minute', 60]];

/** @param {number} seconds */
export function lasting(seconds) {
  for (const [unit, size] of /** @type {[string, number][]} */ (SPANS)) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'short' }).format(count);
  }
  return 'now';
}

/** @param {string} at */
export const ago = (at) => lasting(Math.max(0, (now.value - Date.parse(at)) / 1_000));
/** @param {string} at */
export const clock = (at) => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
/** @param {string} at */
export const moment = (at) => new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });

/** @param {{ name: string | null, id: string }} person */
export const named = ({ name, id }) => name || `Visitor ${id.slice(-5)}`;

/** @param {{ name: string, id: string, status?: string }} props */
export function Avatar({ name, id, status }) {
  const initials = name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => [...word][0]).join('').toUpperCase();
  const tone = [...id].reduce((sum, sign) => sum + sign.charCodeAt(0), 0) % 6;
  return html`<span class=${`avatar tone${tone}`} aria-hidden="true">${initials || '?'}
    ${status && html`<i class=${`dot ${status}`}></i>`}</span>`;
}

/** @param {{ tag: { name: string, color?: string | null }, onRemove?: () => void }} props */
export function Tag({ tag, onRemove }) {
  return html`<span class="tag"><i style=${{ background: tag.color ?? 'currentColor' }}></i>${tag.name}
    ${onRemove && html`<button type="button" aria-label=${`Remove the tag ${tag.name}`} onClick=${onRemove}>×</button>`}</span>`;
}

export const notice = signal(/** @type {{ text: string, bad: boolean } | null} */ (null));
let fading = 0;

/** @param {string} text @param {boolean} [bad] */
export function say(text, bad = false) {
  notice.value = { text, bad };
  clearTimeout(fading);
  fading = setTimeout(() => (notice.value = null), bad ? 9_000 : 4_000);
}

/** Does something, and says why where it fails. @param {() => Promise<unknown>} action @param {string} [done] @returns {Promise<boolean>} */
export async function attempt(action, done) {
  try {
    await action();
    if (done) say(done);
    return true;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const fields = problem.fields.map(({ field, message }) => `${field} ${message}`);
    say([problem.message, ...fields].join(' '), true);
    return false;
  }
}

export function Notice() {
  const shown = notice.value;
  return html`<div class="notices" role="status" aria-live="polite">
    ${shown && html`<p class=${shown.bad ? 'notice bad' : 'notice'}>${shown.text}
      <button type="button" class="button icon quiet small" aria-label="Dismiss" onClick=${() => (notice.value = null)}>
        <${Icon} name="close" /></button></p>`}</div>`;
}

/** @param {{ title: string, onClose: () => void, children?: any }} props */
export function Dialog({ title, onClose, children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    box.current?.showModal();
    return () => before?.focus();
  }, []);
  return html`<dialog ref=${box} class="dialog" aria-labelledby="dialog-title" onClose=${onClose}
      onClick=${(/** @type {any} */ event) => event.target === box.current && onClose()}>
    <div class="inside"><header><h2 id="dialog-title">${title}</h2>
      <button type="button" class="button icon quiet" aria-label="Close the window" onClick=${onClose}><${Icon} name="close" /></button>
    </header>${children}</div></dialog>`;
}

/**
 * A form that sends its fields as an object and closes when that has worked.
 * @param {{ action: string, onSend: (fields: Record<string, string>) => Promise<unknown>, onDone: () => void, danger?: boolean, children?: any }} props
 */
export function Form({ action, onSend, onDone, danger = false, children }) {
  const [is_busy, busy] = useState(false);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const fields = /** @type {any} */ (Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget))));
    busy(true);
    if (await attempt(() => onSend(fields))) onDone();
    else busy(false);
  };
  return html`<form class="fields" onSubmit=${submit}>${children}
    <footer><button type="button" class="button" onClick=${onDone}>Cancel</button>
      <button class=${danger ? 'button danger' : 'button primary'} disabled=${is_busy}>${action}</button></footer></form>`;
}
