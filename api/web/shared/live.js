// @ts-check
/**
 * The live stream, once for all tabs of a browser: one tab holds the connection and passes the frames on. When it is closed
 * or dies, another one takes over, from its own position.
 */
import { Problem, alone, backoff, base, pause } from './api.js';

/** @typedef {import('./api.js').Place} Place */
/** @typedef {'connecting' | 'live' | 'offline'} State */
/**
 * @typedef {object} Options
 * @property {string} name Tabs of the same name share one connection.
 * @property {(renew: boolean) => Promise<string>} token A valid token, a new one if asked for. Throws `Problem`.
 * @property {(place: Place | null) => Promise<Place>} load Reads everything again, at least up to a position; says up to where it read.
 * @property {(event: any) => void} onEvent A change, in the order of the log. It may be included in what was read.
 * @property {(state: State) => void} onState
 * @property {(reason: string) => void} onEnd The stream will not come back with this token.
 * @property {(frame: any) => void} [onPassing] A frame without a position, such as somebody's typing.
 */

const ASK_MS = 250;
const PING_MS = 5_000;
const PONG_MS = 4_000;

export class Live {
  /** @type {State} */
  state = 'connecting';
  leads = false;
  /** @type {Place | null} */
  #at = null;
  #epoch = '';
  /** @type {any[] | null} Frames that arrive while everything is read. */
  #held = [];
  #stopped = new AbortController();
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {(() => void) | null} */
  #wake = null;
  /** Ends the connection, and its promise with it. @type {(() => void) | null} */
  #cut = null;
  /** @type {((answer: any) => void) | null} */
  #answered = null;

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    this.channel = new BroadcastChannel(`livechatlog.${options.name}`);
    this.channel.onmessage = ({ data }) => this.#hear(data);
    const signal = this.#stopped.signal;
    const hurry = () => this.#wake?.();
    addEventListener('online', hurry, { signal });
    document.addEventListener('visibilitychange', hurry, { signal });
    this.#join();
  }

  stop() {
    this.#stopped.abort();
    this.#wake?.();
    this.#cut?.();
    this.#drop();
    this.channel.close();
  }

  /** Sends a frame through whichever tab is connected. It may be lost. @param {object} frame */
  send(frame) {
    if (!this.leads) this.#pass({ send: frame });
    else if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  get #ended() {
    return this.#stopped.signal.aborted;
  }

  /** @param {any} message */
  #pass(message) {
    if (!this.#ended) this.channel.postMessage(message);
  }

  async #join() {
    const answer = await this.#ask();
    if (answer) this.#become(answer.state);
    await this.#reload(answer?.at ?? null);
    const { name } = this.options;
    // The waiting ends with this tab.
    alone(name, () => this.#lead(), this.#stopped.signal).catch(() => {});
  }

  /** Where the tab that leads is, if one does. @returns {Promise<{ at: Place | null, state: State } | null>} */
  #ask() {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#pass({ ask: true });
      setTimeout(() => resolve(null), ASK_MS);
    });
  }

  /** @param {any} message */
  #hear(message) {
    if (message.ask && this.leads) this.#pass({ answer: { at: this.#at, state: this.state } });
    if (message.answer) this.#answered?.(message.answer);
    if (message.frame && !this.leads) this.#take(message.frame, message.epoch);
    if (message.state && !this.leads) this.#become(message.state);
    if (message.send && this.leads) this.send(message.send);
    if (message.reload) this.#reload(message.reload);
    if (message.end) this.#finish(message.end, false);
  }

  /** @param {Place | null} place */
  async #reload(place) {
    this.#held ??= [];
    for (let failures = 0; !this.#ended; failures++) {
      try {
        const read = await this.options.load(place);
        const is_same = place && place.epoch === read.epoch;
        this.#at = is_same ? place : read;
        break;
      } catch (problem) {
        if (/** @type {any} */ (problem).status === 401) return this.#finish('unauthorized', true);
        if (!(/** @type {any} */ (problem).passes)) console.error(problem);
        // What was to be waited for may belong to a history that is gone.
        place = null;
        this.#become('offline');
        await this.#sleep(backoff(failures));
      }
    }
    const held = this.#held ?? [];
    this.#held = null;
    for (const [frame, epoch] of held) this.#take(frame, epoch);
  }

  /** @param {any} frame @param {string} epoch */
  #take(frame, epoch) {
    if (this.#held) return void this.#held.push([frame, epoch]);
    if (frame.position === undefined) return void this.options.onPassing?.(frame);
    const at = this.#at;
    const is_foreign = !at || at.epoch !== epoch;
    const is_ahead = at && (frame.frame === 'welcome' ? frame.position : frame.after ?? 0) > at.position;
    if (is_foreign || is_ahead) return void this.#reload({ epoch, position: frame.position });
    if (frame.position <= at.position) return;
    if (frame.frame === 'event') this.options.onEvent(frame);
    this.#at = { epoch, position: frame.position };
  }

  /** @param {State} state */
  #become(state) {
    if (this.leads) this.#pass({ state });
    if (this.state === state) return;
    this.state = state;
    this.options.onState(state);
  }

  /** Holds the connection until this tab ends. */
  async #lead() {
    this.leads = true;
    let renew = false;
    for (let failures = 0; !this.#ended; ) {
      const end = await this.#connect(renew);
      if (this.#ended) return;
      if (end.was_live) failures = 0;
      this.#become('offline');
      if (end.final) return this.#finish(end.final, true);
      renew = end.code === 4401 || end.code === 4409;
      if (end.code === 4409) {
        await this.#reload(null);
        if (this.#at) this.#pass({ reload: this.#at });
      }
      if (!renew || failures) await this.#sleep(end.wait ?? backoff(failures));
      failures++;
    }
  }

  /**
   * One connection, from its beginning to its end.
   * @param {boolean} renew
   * @returns {Promise<{ code: number, wait?: number, was_live: boolean, final?: string }>}
   */
  async #connect(renew) {
    let token;
    try {
      token = await this.options.token(renew);
    } catch (problem) {
      const is_final = problem instanceof Problem && !problem.passes;
      return { code: 0, was_live: false, final: is_final ? 'unauthorized' : undefined };
    }
    if (this.#ended) return { code: 1000, was_live: false };
    const address = new URL('v1/stream', base);
    address.protocol = address.protocol.replace('http', 'ws');
    const socket = new WebSocket(address, 'livechatlog.v1');
    this.#socket = socket;
    return new Promise((resolve) => this.#listen(socket, token, resolve));
  }

  /** @param {WebSocket} socket @param {string} token @param {(end: any) => void} resolve */
  #listen(socket, token, resolve) {
    let was_live = false;
    let heard = Date.now();
    let asked = 0;
    /** @type {any} */
    let error = null;
    const at = this.#at;
    const end = (/** @type {number} */ code) => {
      clearInterval(pinging);
      this.#wake = this.#cut = null;
      this.#drop();
      const final = code === 4403 ? error?.code ?? 'revoked' : undefined;
      resolve({ code, was_live, final, wait: error?.retryInMs });
    };
    const send = (/** @type {object} */ frame) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame));
    const ping = () => {
      // Silence after a question on a connection that looks open: a lid was closed, or a network is gone. The time since the
      // last frame says nothing, because browsers run the timers of hidden tabs once a minute.
      if (asked > heard) return Date.now() - asked > PONG_MS ? end(1006) : undefined;
      asked = Date.now();
      send({ frame: 'ping', id: asked });
    };
    const pinging = setInterval(ping, PING_MS);
    this.#wake = ping;
    this.#cut = () => end(1000);
    socket.onopen = () => send({ frame: 'hello', token, ...(at && { after: `${at.epoch}:${at.position}` }) });
    socket.onclose = ({ code }) => end(code);
    socket.onmessage = ({ data }) => {
      heard = Date.now();
      const frame = JSON.parse(data);
      if (frame.frame === 'pong') return;
      if (frame.frame === 'error') return void (error = frame);
      if (frame.frame === 'expiring') {
        return void this.options.token(true).then((token) => send({ frame: 'token', token })).catch(() => {});
      }
      if (frame.frame === 'welcome') this.#epoch = frame.epoch;
      this.#pass({ frame, epoch: this.#epoch });
      this.#take(frame, this.#epoch);
      if (frame.frame === 'live') {
        was_live = true;
        this.#become('live');
      }
    };
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** Waits, at most until there is a reason to hurry. @param {number} ms */
  async #sleep(ms) {
    await Promise.race([pause(ms), new Promise((resolve) => (this.#wake = () => resolve(undefined)))]);
    this.#wake = null;
  }

  /** @param {string} reason @param {boolean} is_first whether the other tabs do not know it yet */
  #finish(reason, is_first) {
    if (this.#ended) return;
    if (is_first) this.#pass({ end: reason });
    this.stop();
    this.options.onEnd(reason);
  }
}
