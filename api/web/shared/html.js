// @ts-check
/** The one way to write elements: texts become text nodes, never markup. */
import { Fragment, h, render } from '../vendor/preact-10.29.8.mjs';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from '../vendor/preact-hooks-10.29.8.mjs';
import { batch, computed, effect, signal } from '../vendor/preact-signals-2.11.4.mjs';
import htm from '../vendor/htm-3.1.1.mjs';

export const html = htm.bind(h);
export { Fragment, batch, computed, effect, render, signal, useEffect, useLayoutEffect, useMemo, useRef, useState };

/**
 * Puts a value into a map that a signal holds, or takes it out.
 * @template T @param {import('../vendor/preact-signals-2.11.4.mjs').Signal<Map<string, T>>} map @param {string} id @param {T | undefined} value
 */
export function put(map, id, value) {
  const next = new Map(map.value);
  if (value === undefined) next.delete(id);
  else next.set(id, value);
  map.value = next;
}

/** Paths of a 24 by 24 grid. */
const PATHS = {
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M4 12l16-8-6 16-3-7z',
  back: 'M15 5l-7 7 7 7',
  chat: 'M4 5h16v11h-9l-4 4v-4H4z',
  queue: 'M4 6h16M4 12h10M4 18h6',
  board: 'M4 20V10M10 20V4M16 20v-8M22 20H2',
  people: 'M9 11a4 4 0 100-8 4 4 0 000 8zM2 21c0-4 3-6 7-6s7 2 7 6M16 3.5a4 4 0 010 7M18 15.5c2.5 .8 4 2.7 4 5.5',
  group: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  tag: 'M3 3h9l9 9-9 9-9-9zM7.5 7.5h.01',
  log: 'M6 3h12v18H6zM9 8h6M9 12h6M9 16h4',
  user: 'M12 12a4 4 0 100-8 4 4 0 000 8zM4 21c0-4 3.5-6 8-6s8 2 8 6',
  search: 'M11 18a7 7 0 100-14 7 7 0 000 14zM16 16l5 5',
  out: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  check: 'M4 12l5 5L20 6',
  info: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 11v5M12 8h.01',
};

/**
 * A picture that says nothing a text does not.
 * @param {{ name: keyof typeof PATHS }} props
 */
export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8"
  stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;

/**
 * A text with its web addresses as links. Other schemes stay text.
 * @param {string} text
 */
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(text.slice(end, match.index));
    parts.push(html`<a href=${match[0]} target="_blank" rel="noopener noreferrer nofollow">${match[0]}</a>`);
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}
