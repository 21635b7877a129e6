// @ts-check
/** The log itself, newest first, and the check of what is shown: each event's hash covers the one before. */
import { html, useEffect, useState } from '../shared/html.js';
import { query } from '../shared/api.js';
import { verify } from './chain.js';
import * as desk from './desk.js';
import { call } from './session.js';
import { attempt, moment } from './ui.js';

/** @param {string} actor such as `agent:ID` */
function actor_name(actor) {
  const [kind, id] = actor.split(':');
  if (kind === 'agent') return desk.agents.value.get(id)?.name ?? 'An agent who is gone';
  return kind === 'visitor' ? `Visitor ${id?.slice(-5)}` : kind;
}

/** @param {{ row: any }} props */
function Row({ row }) {
  const [is_open, open] = useState(false);
  return html`<tr><td>${row.position}</td><td>${moment(row.recordedAt)}</td><td>${actor_name(row.actor)}</td><td>${row.type}</td><td>${row.aggregateType}</td>
    <td><button type="button" class="button small" aria-expanded=${String(is_open)} aria-label=${`Details of event ${row.position}`} onClick=${() => open(!is_open)}>Details</button></td></tr>
    ${is_open && html`<tr class="details"><td colspan="6"><pre tabindex="0">${JSON.stringify(row.payload, null, 2)}</pre>
      <p class="small">Hash <code>${row.hash}</code></p></td></tr>`}`;
}

/** @param {{ rows: any[] }} props */
function Verify({ rows }) {
  const [found, keep] = useState({ rows, text: '' });
  const report = (/** @type {string} */ text) => keep({ rows, text });
  const check = () => attempt(async () => {
    if (!crypto.subtle) return report('Browsers check hashes on https pages only. On the server: livechatlog audit verify.');
    const { checked, broken, unsure } = await verify(rows);
    const rest = unsure.length ? ` ${unsure.length} with JSON of clients can only be compared on the server: livechatlog audit verify.` : '';
    report(broken.length ? `Not as written: ${broken.join(', ')}. Run livechatlog audit verify on the server.`
      : `${checked} events checked here: the chain is unbroken from ${rows.at(-1)?.position} to ${rows[0]?.position}.${rest}`);
  });
  return html`<button type="button" class="button" onClick=${check}>Verify what is shown</button>
    <p class="small" role="status">${found.rows === rows ? found.text : ''}</p>`;
}

const NONE = { rows: /** @type {any[]} */ ([]), cursor: '' };

export function Audit() {
  const [filter, choose] = useState({ type: '', actor: '' });
  const [{ rows, cursor }, show] = useState(NONE);
  const read = (/** @type {any} */ before) => attempt(async () => {
    const { data } = await call('GET', `v1/audit?${query({ ...filter, limit: 50, cursor: before.cursor })}`);
    show({ rows: [...before.rows, ...data.data], cursor: data.nextCursor });
  });
  useEffect(() => void read(NONE), [filter]);
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    choose(/** @type {any} */ (Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)))));
  };
  return html`<main class="page"><h1>Audit</h1><p class="muted">Every change, in the order of the log. Nothing in it can be altered unnoticed.</p>
    <form class="bar" onSubmit=${submit}><label class="field"><span>Event type</span><input class="input" name="type" placeholder="MessageSent" /></label>
      <label class="field"><span>Actor</span><select class="input" name="actor"><option value="">Anybody</option>
        ${[...desk.agents.value.values()].map(({ id, name }) => html`<option key=${id} value=${`agent:${id}`}>${name}</option>`)}</select></label>
      <button class="button">Show</button>${!filter.type && !filter.actor && html`<${Verify} rows=${rows} />`}</form>
    <div class="table" tabindex="0" role="region" aria-label="Events"><table><thead><tr><th scope="col">Position</th><th scope="col">Time</th><th scope="col">Actor</th><th scope="col">Event</th><th scope="col">Of</th><th><span class="sr">Details</span></th></tr></thead>
      <tbody>${rows.map((row) => html`<${Row} key=${row.position} row=${row} />`)}</tbody></table></div>
    ${cursor && html`<p><button type="button" class="button" onClick=${() => read({ rows, cursor })}>Older</button></p>`}</main>`;
}
