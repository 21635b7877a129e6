// @ts-check
/** What is about the moment: who writes, and who looks. It comes by the live stream, is in no log, and ends by itself. */
import { put, signal } from './html.js';

/** @typedef {{ type: 'agent' | 'visitor', id: string, draft?: string }} Writer */

/** The clients repeat it while it is so. */
const REPEAT_MS = 5_000;
const REPEAT_LOOK_MS = 15_000;
const LOOK_MS = 500;

/** Who writes, by conversation. */
export const writers = signal(/** @type {Map<string, Writer>} */ (new Map()));
/** The agents that look, by conversation. */
export const lookers = signal(/** @type {Map<string, string[]>} */ (new Map()));

/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const ends = new Map();

/** @param {string} name @param {number} ms @param {() => void} end */
function end_after(name, ms, end) {
  clearTimeout(ends.get(name));
  ends.set(name, setTimeout(end, ms));
}

/** @param {any} frame of the kind `ephemeral` */
export function hear({ kind, conversationId, author, agentId, state, draft, ttlMs }) {
  if (kind === 'typing') {
    put(writers, conversationId, state === 'started' ? { ...author, draft } : undefined);
    end_after(conversationId, ttlMs, () => put(writers, conversationId, undefined));
  }
  if (kind === 'looking') {
    const others = (lookers.value.get(conversationId) ?? []).filter((id) => id !== agentId);
    const gone = () => put(lookers, conversationId, (lookers.value.get(conversationId) ?? []).filter((id) => id !== agentId));
    put(lookers, conversationId, state === 'started' ? [...others, agentId] : others);
    end_after(`${conversationId} ${agentId}`, ttlMs, gone);
  }
}

/** A message ends its author's writing. @param {string} conversationId @param {string} authorId */
export function wrote(conversationId, authorId) {
  if (writers.value.get(conversationId)?.id === authorId) put(writers, conversationId, undefined);
}

/** What was said last, so that it is repeated only as often as it must. */
let said = { conversationId: '', state: 'stopped', at: 0 };

/**
 * Says that the user writes, or has stopped to.
 * @param {(frame: object) => void} send @param {string} conversationId @param {string} text what is written so far
 */
export function say_typing(send, conversationId, text) {
  const state = text ? 'started' : 'stopped';
  const is_new = said.conversationId !== conversationId || said.state !== state;
  if (!is_new && (state === 'stopped' || Date.now() - said.at < REPEAT_MS)) return;
  if (is_new && state === 'stopped' && said.conversationId !== conversationId) return;
  said = { conversationId, state, at: Date.now() };
  send({ frame: 'typing', conversationId, state });
}

/**
 * Says that the agent looks at a conversation, until the answer is called.
 * @param {(frame: object) => void} send @param {string} conversationId
 */
export function look(send, conversationId) {
  const say = (/** @type {string} */ state) => send({ frame: 'looking', conversationId, state });
  let has_said = false;
  const look_again = () => {
    if (document.visibilityState !== 'visible') return;
    has_said = true;
    say('started');
  };
  // A finger on a key passes many chats: it looks at the one where it stops.
  const beginning = setTimeout(look_again, LOOK_MS);
  const repeating = setInterval(look_again, REPEAT_LOOK_MS);
  return () => {
    clearTimeout(beginning);
    clearInterval(repeating);
    if (has_said) say('stopped');
  };
}
