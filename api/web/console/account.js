// @ts-check
/** The agent's own settings: those of the account, and those of this browser. */
import { html, useState } from '../shared/html.js';
import { browser } from '../shared/keep.js';
import * as desk from './desk.js';
import { call } from './session.js';
import { attempt, say } from './ui.js';

/** @param {{ name: string, label: string, usual: boolean, onTurn?: (is_on: boolean) => Promise<boolean> }} props */
function Switch({ name, label, usual, onTurn }) {
  const [is_on, turn] = useState(() => browser.read(name) ?? usual);
  const change = async (/** @type {any} */ { target }) => {
    const next = onTurn ? await onTurn(target.checked) : target.checked;
    browser.write(name, next);
    turn(next);
    target.checked = next;
  };
  return html`<label class="check"><input type="checkbox" checked=${is_on} onChange=${change} /> ${label}</label>`;
}

/** @param {boolean} is_on */
async function permit(is_on) {
  if (!is_on) return false;
  if (!('Notification' in window)) return false;
  const is_granted = (await Notification.requestPermission()) === 'granted';
  if (!is_granted) say('This browser forbids notifications of this page.', true);
  return is_granted;
}

export function Account() {
  const self = desk.me.value;
  const change = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const { current, next } = /** @type {any} */ (Object.fromEntries(new FormData(form)));
    const send = () => call('POST', 'v1/auth/password', { body: { currentPassword: current, newPassword: next } });
    if (await attempt(send, 'The password is changed. Other devices are logged out.')) form.reset();
  };
  return html`<main class="page narrow"><h1>Account</h1><p>${self.name} · ${self.email} · ${self.role}</p>
    <h2>This browser</h2><div class="fields">
      <${Switch} name="sound" label="A sound for new messages in my chats" usual=${true} />
      <${Switch} name="notices" label="A notification for new messages in my chats" usual=${false} onTurn=${permit} />
      <${Switch} name="keys" label="Single keys, such as j, k and r" usual=${true} /></div>
    <h2>Password</h2><form class="fields" onSubmit=${change}>
      <input class="sr" type="text" autocomplete="username" value=${self.email} readonly tabindex="-1" aria-hidden="true" />
      <label class="field"><span>Present password</span><input class="input" type="password" name="current" autocomplete="current-password" required /></label>
      <label class="field"><span>New password (8 characters or more)</span><input class="input" type="password" name="next" autocomplete="new-password" minlength="8" maxlength="128" required /></label>
      <div><button class="button primary">Change the password</button></div></form></main>`;
}
