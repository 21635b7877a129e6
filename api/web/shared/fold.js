// @ts-check
/** What follows for a conversation from events of its threads, so that one event is one frame. */

/** @typedef {'agent' | 'visitor'} Side */

/**
 * A conversation after a message. What its `position` includes is counted already.
 * @param {any} chat @param {any} message @param {Side} side whose unread messages are counted
 */
export function after_message(chat, message, side) {
  if (message.position <= chat.position) return chat;
  const is_others = message.authorType !== side;
  return { ...chat, position: message.position, lastMessageAt: message.createdAt, unread: chat.unread + Number(is_others) };
}

/**
 * A conversation after somebody has read on.
 * @param {any} chat @param {number} position of the frame @param {any} reading @param {Side} side
 */
export function after_reading(chat, position, { type, id, position: upTo, unread }, side) {
  if (position <= chat.position) return chat;
  const others = chat.seenUpTo.filter((/** @type {any} */ one) => one.type !== type || one.id !== id);
  const is_furthest = others.every((/** @type {any} */ one) => one.type !== type || one.position <= upTo);
  const counts = type === side && is_furthest;
  return { ...chat, position, seenUpTo: [...others, { type, id, position: upTo }], unread: counts ? unread : chat.unread };
}

/** The position up to which a side has seen the messages. @param {any} chat @param {Side} side @returns {number} */
export function seen_by(chat, side) {
  const marks = (chat?.seenUpTo ?? []).filter((/** @type {any} */ one) => one.type === side);
  return Math.max(0, ...marks.map((/** @type {any} */ one) => one.position));
}

/** Events in the order of the log. @param {any[]} events */
export const in_order = (events) => events.sort((one, other) => one.position - other.position);

/** Events with one more, unless it is among them. @param {any[]} events @param {any} event */
export const with_event = (events, event) =>
  events.some(({ id }) => id === event.id) ? events : in_order([...events, event]);

/** Whether one state of a conversation is older than another. @param {any} one @param {any} other */
export const is_older = (one, other) =>
  one.version < other.version || (one.version === other.version && one.position < other.position);
