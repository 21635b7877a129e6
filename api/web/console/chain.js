// @ts-check
/**
 * Checks events of the log as `livechatlog audit verify` does, in this browser: each hash covers the one before, and each digest
 * its payload. The form is that of `infrastructure/src/event_log/integrity/chain.rs`.
 */

/** @param {string} digits */
const bytes = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** @param {ArrayBuffer} buffer */
const digits = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** @param {Uint8Array[]} parts */
async function hash(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return digits(await crypto.subtle.digest('SHA-256', all));
}

/** The length of a text in four bytes, and its UTF-8. @param {string} text */
function field(text) {
  const content = new TextEncoder().encode(text);
  const framed = new Uint8Array(4 + content.length);
  new DataView(framed.buffer).setUint32(0, content.length);
  framed.set(content, 4);
  return framed;
}

/** @param {string} at a time with six digits of a second @returns {string} microseconds since 1970 */
function micros(at) {
  const fraction = /\.(\d{6})Z$/.exec(at)?.[1] ?? '000000';
  return String(BigInt(Date.parse(at.slice(0, 19) + 'Z')) * 1000n + BigInt(fraction));
}

/** @param {any} row @param {string} previous the hash of the event before */
function chained(row, previous) {
  const { position, aggregateType, aggregateId, sequence, type, version, metadata } = row;
  const { eventId, commandId, causationId, correlationId, actor, recordedAt, digest } = row;
  const texts = [
    position, aggregateType, aggregateId, sequence, type, version, JSON.stringify(metadata), eventId, commandId, causationId ?? '',
    correlationId, actor, micros(recordedAt),
  ];
  return hash([bytes(previous), ...texts.map((text) => field(String(text))), bytes(digest)]);
}

/**
 * @param {any[]} rows events in a row, newest first; the oldest is where the check begins
 * @returns {Promise<{ checked: number, broken: number[], unsure: number[] }>} positions whose hash or payload is not what it should be,
 *   and those of which that cannot be said here
 */
export async function verify(rows) {
  /** @type {number[]} */
  const broken = [];
  /** @type {number[]} */
  const unsure = [];
  for (let index = 0; index + 1 < rows.length; index++) {
    const [row, before] = [rows[index], rows[index + 1]];
    const follows = row.position === before.position + 1 && (await chained(row, before.hash)) === row.hash;
    // An erased payload has lost its salt; its digest stays in the chain.
    const is_whole = !row.salt || (await hash([bytes(row.salt), new TextEncoder().encode(JSON.stringify(row.payload))])) === row.digest;
    if (follows && is_whole) continue;
    // JSON of a client is stored as it was sent, such as 1.0 or "10" before "2", and is not written so here.
    const is_of_client = Object.keys(row.metadata).length || Object.keys(row.payload?.metadata ?? {}).length;
    (is_of_client && row.position === before.position + 1 ? unsure : broken).push(row.position);
  }
  return { checked: Math.max(0, rows.length - 1) - unsure.length, broken, unsure };
}
