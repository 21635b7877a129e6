// @ts-check
/**
 * Who is logged in, in all tabs of this browser. Tokens are in memory and in the tab's own storage: they are gone when the
 * last tab is closed, and a new tab gets them from an open one.
 */
import { Problem, alone, call as bare } from '../shared/api.js';
import { signal } from '../shared/html.js';
import { tab } from '../shared/keep.js';

/** @typedef {{ access: string, until: number, refresh: string, id: string }} Session */

const ASK_MS = 200;
/** A token that ends sooner is renewed. */
const SPARE_MS = 120_000;

/** @type {import('../vendor/preact-signals-2.11.4.mjs').Signal<Session | null>} */
export const session = signal(tab.read('session'));

const channel = new BroadcastChannel('livechatlog.session');
/** @type {((session: Session) => void) | null} */
let answered = null;

channel.onmessage = ({ data }) => {
  if (data.ask && session.value) channel.postMessage({ session: session.value });
  if (data.session) hear(data.session);
  if (data.out) keep(null);
};

/** @param {Session} heard */
function hear(heard) {
  answered?.(heard);
  const current = session.value;
  if (current && current.id === heard.id && heard.until > current.until) keep(heard);
}

/** @param {Session | null} next */
function keep(next) {
  tab.write('session', next);
  session.value = next;
}

/** What other tabs have. @returns {Promise<Session | null>} */
function ask() {
  return new Promise((resolve) => {
    answered = resolve;
    channel.postMessage({ ask: true });
    setTimeout(() => resolve(null), ASK_MS);
  });
}

/** Takes over the session of another tab, if there is one. */
export async function restore() {
  if (!session.value) keep(await ask());
}

/** @param {any} answer @returns {Session} */
const sessionOf = ({ access_token, expiresIn, refresh_token, agent }) => ({
  access: access_token, until: Date.now() + expiresIn * 1_000, refresh: refresh_token, id: agent.id,
});

/** @param {string} email @param {string} password */
export async function log_in(email, password) {
  const { data } = await bare('POST', 'v1/auth/login', { body: { email, password } });
  keep(sessionOf(data));
}

/** Ends the session, here and in every tab. */
export async function log_out() {
  const token = session.value?.access;
  leave();
  if (token) await bare('POST', 'v1/auth/logout', { token }).catch(() => {});
}

/** Forgets the session, here and in every tab. */
export function leave() {
  channel.postMessage({ out: true });
  keep(null);
}

/** @param {boolean} renew @returns {Promise<string>} */
export async function token(renew) {
  const current = session.value;
  if (!current) throw new Problem(401, null);
  if (!renew && current.until - Date.now() > SPARE_MS) return current.access;
  return alone('session', () => renewed(current));
}

/** @param {Session} before */
async function renewed(before) {
  const others = await ask();
  const known = [session.value, others].find((other) => other?.id === before.id && other.until > before.until);
  if (known) return known.access;
  const { data } = await bare('POST', 'v1/auth/refresh', { body: { refresh_token: session.value?.refresh ?? before.refresh } });
  const next = sessionOf({ agent: { id: before.id }, ...data });
  keep(next);
  channel.postMessage({ session: next });
  return next.access;
}

/**
 * A call with the session's token, which is renewed when it has ended.
 * @param {string} method @param {string} path @param {import('../shared/api.js').Options} [options]
 */
export async function call(method, path, options = {}) {
  try {
    return await bare(method, path, { ...options, token: await token(false) });
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.status !== 401 || !session.value) throw problem;
    return again(method, path, options);
  }
}

/** @param {string} method @param {string} path @param {import('../shared/api.js').Options} options */
async function again(method, path, options) {
  try {
    return await bare(method, path, { ...options, token: await token(true) });
  } catch (problem) {
    if (/** @type {Problem} */ (problem).status === 401) leave();
    throw problem;
  }
}
