// @ts-check
/** For supervisors: who waits, how long, and how busy the team is. It follows the stream; nothing is polled. */
import { html, useEffect, useState } from '../shared/html.js';
import * as desk from './desk.js';
import { attempt, Avatar, lasting, named, now } from './ui.js';

const LATE_SECONDS = 120;

/** @param {any[]} waiting */
function of_groups(waiting) {
  /** @type {Map<string, any[]>} */
  const found = new Map([...desk.groups.value.keys()].map((id) => [id, []]));
  for (const chat of waiting) found.set(chat.groupId, [...(found.get(chat.groupId) ?? []), chat]);
  return [...found].sort(([, one], [, other]) => other.length - one.length);
}

/** @param {string} at */
const seconds = (at) => Math.max(0, (now.value - Date.parse(at)) / 1_000);

/** @param {{ id: string, chats: any[] }} props */
function Group({ id, chats }) {
  const group = desk.groups.value.get(id);
  const free = [...desk.agents.value.values()].filter((agent) => agent.groupIds.includes(id) && agent.status === 'online' && agent.acceptingChats)
    .reduce((sum, agent) => sum + Math.max(0, agent.maxConcurrentChats - agent.activeChats), 0);
  const longest = Math.max(0, ...chats.map(({ createdAt }) => seconds(createdAt)));
  return html`<tr><th scope="row">${group?.name ?? 'A group that is gone'}</th><td>${chats.length}</td>
    <td class=${longest > LATE_SECONDS ? 'late' : ''}>${chats.length ? lasting(longest) : '–'}</td><td>${free}</td></tr>`;
}

export function Board() {
  const list = desk.list_of({ status: 'pending' });
  const [, force] = useState(0);
  useEffect(() => {
    const fill = async () => {
      while (!list.is_complete.value) await desk.more(list);
      force((times) => times + 1);
    };
    attempt(fill);
  }, [list, list.is_complete.value]);
  const waiting = desk.rows(list);
  const team = [...desk.agents.value.values()].sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
  return html`<main class="page"><h1>Queue and team</h1>
    <dl class="figures"><div><dt>Waiting</dt><dd>${desk.counts.value.pending}</dd></div><div><dt>In a chat</dt><dd>${desk.counts.value.active}</dd></div>
      <div><dt>Agents online</dt><dd>${team.filter(({ status }) => status === 'online').length}</dd></div></dl>
    <h2>Queues</h2><div class="table" tabindex="0" role="region" aria-label="Queues"><table><thead><tr><th scope="col">Group</th><th scope="col">Waiting</th><th scope="col">Longest wait</th><th scope="col">Free places</th></tr></thead>
      <tbody>${of_groups(waiting).map(([id, chats]) => html`<${Group} key=${id} id=${id} chats=${chats} />`)}</tbody></table></div>
    <h2>Waiting visitors</h2>${waiting.length ? html`<ul class="cards">${waiting.slice(0, 50).map((chat) => html`<li key=${chat.id}><a href=${`#/chats/queue/${chat.id}`}>
      <${Avatar} name=${named(chat.visitor)} id=${chat.visitor.id} /><span><strong>${named(chat.visitor)}</strong>
      <span class="muted small">${desk.groups.value.get(chat.groupId)?.name} · ${lasting(seconds(chat.createdAt))}</span></span></a></li>`)}</ul>` : html`<p class="muted">Nobody is waiting.</p>`}
    <h2>Team</h2><ul class="cards">${team.map((agent) => html`<li key=${agent.id}><div><${Avatar} name=${agent.name} id=${agent.id} status=${agent.status} />
      <span><strong>${agent.name}</strong><span class="muted small">${agent.status}${agent.acceptingChats ? '' : ', takes no chats'} · ${agent.activeChats} of ${agent.maxConcurrentChats} chats</span>
      <meter min="0" max=${agent.maxConcurrentChats} value=${agent.activeChats} aria-label=${`Chats of ${agent.name}`}></meter></span></div></li>`)}</ul></main>`;
}

/** @param {any} agent */
const rank = ({ status }) => ['online', 'away', 'offline'].indexOf(status);
