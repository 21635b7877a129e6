// @ts-check
/** Calls of the public API. */

/** Where the server is: this file is at `assets/VERSION/shared/`, perhaps below a path of a proxy. */
export const base = new URL('../../../', import.meta.url);

/** A call that has not come back by then is given up. */
const PATIENCE_MS = 20_000;

/** A refusal, as the API describes it, or a failure to reach the server (status 0). */
export class Problem extends Error {
  /** @param {number} status @param {any} body @param {number} [retryAfter] seconds */
  constructor(status, body, retryAfter = 0) {
    super(body?.detail ?? body?.title ?? 'The server cannot be reached.');
    this.status = status;
    this.code = body?.code ?? (status ? 'unknown' : 'unreachable');
    /** @type {{ field: string, message: string }[]} */
    this.fields = body?.errors ?? [];
    this.retryAfter = retryAfter;
  }

  /** Whether the same call may succeed later. */
  get passes() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/**
 * @typedef {{ epoch: string, position: number }} Place A position in the log.
 * @typedef {{ body?: unknown, token?: string | null, key?: string, place?: Place | null, signal?: AbortSignal }} Options
 */

/**
 * @param {string} method
 * @param {string} path below the server's address, such as `v1/agents`
 * @param {Options} [options]
 * @returns {Promise<{ data: any, place: Place }>}
 * @throws {Problem}
 */
export async function call(method, path, { body, token, key, place, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers['Idempotency-Key'] = key;
  if (place) headers['If-Position-At-Least'] = String(place.position);
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const patience = AbortSignal.timeout(PATIENCE_MS);
  let response;
  try {
    response = await fetch(new URL(path, base), {
      method, headers, cache: 'no-store', body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
  } catch {
    throw new Problem(0, null);
  }
  const data = response.status === 204 ? null : await response.json().catch(() => undefined);
  // An answer that was cut says nothing of what was done.
  if (response.ok && data === undefined) throw new Problem(0, null);
  if (!response.ok) throw new Problem(response.status, data, Number(response.headers.get('retry-after') ?? 0));
  const position = Number(response.headers.get('event-position') ?? 0);
  return { data, place: { epoch: response.headers.get('event-epoch') ?? '', position } };
}

/** @param {Record<string, string | number | null | undefined>} values */
export function query(values) {
  const kept = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
}

/**
 * All events of a thread.
 * @param {(method: string, path: string, options: Options) => Promise<{ data: any }>} read calls with the token of the reader
 * @param {string} thread @param {Place | null} place up to which they are there at least
 */
export async function events_of_thread(read, thread, place) {
  const found = [];
  for (let after = 0; ; ) {
    const { data } = await read('GET', `v1/threads/${thread}/events?${query({ limit: 100, after })}`, { place });
    found.push(...data.data);
    if (!data.nextCursor) return found;
    after = data.data.at(-1).position;
  }
}

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A pause that grows with the number of failures, another one for each client. @param {number} failures */
export const backoff = (failures) => Math.min(15_000, 400 * 2 ** failures) * (0.5 + Math.random() / 2);

/** A new id. Browsers have `randomUUID` on secure pages only, and an office may serve over plain HTTP. @returns {string} */
export function new_id() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const digits = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`;
}

/**
 * Does something in one tab at a time; on pages that are not secure, where there are no locks, at once.
 * @template T @param {string} name @param {() => Promise<T>} work @param {AbortSignal} [signal] ends the waiting
 * @returns {Promise<T>}
 */
export async function alone(name, work, signal) {
  if (!navigator.locks) return work();
  return navigator.locks.request(`livechatlog.${name}`, { signal }, work);
}
