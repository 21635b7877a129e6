// @ts-check
/** Agents, groups and tags, and how those with the right change them. */
import { html, Icon, put, signal, useEffect, useState } from '../shared/html.js';
import * as desk from './desk.js';
import { new_id } from '../shared/api.js';
import { call } from './session.js';
import { Avatar, Dialog, Form, Tag, attempt } from './ui.js';

/** What is being edited: a row, `{}` for a new one. */
const edited = signal(/** @type {any} */ (null));
const close = () => (edited.value = null);

/** @param {any} map @param {string} path @param {any} row @param {any} body */
async function save(map, path, row, body) {
  const { data } = row.id ? await call('PATCH', `${path}/${row.id}`, { body }) : await call('POST', path, { body, key: new_id() });
  put(map, data.id, data);
  return data;
}

/** @param {any} map @param {string} path @param {any} row */
async function remove(map, path, row) {
  await call('DELETE', `${path}/${row.id}`);
  put(map, row.id, undefined);
}

/** @param {{ title: string, about: string, may: boolean, children?: any }} props */
function Page({ title, about, may, children }) {
  useEffect(() => close, []);
  return html`<main class="page"><header class="bar"><div><h1>${title}</h1><p class="muted">${about}</p></div>
  ${may && html`<button type="button" class="button primary" onClick=${() => (edited.value = {})}>Add</button>`}</header>${children}</main>`;
}

/** @param {{ label: string, name: string, value?: any, type?: string, required?: boolean, more?: any }} props */
const Input = ({ label, name, value = '', type = 'text', required = false, more = {} }) => html`<label class="field"><span>${label}</span>
  <input class="input" name=${name} type=${type} value=${value} required=${required} maxlength="254" ...${more} /></label>`;

/** @param {{ label: string, name: string, value: string, options: [string, string][] }} props */
const Choice = ({ label, name, value, options }) => html`<label class="field"><span>${label}</span><select class="input" name=${name} value=${value}>
  ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}</select></label>`;

/** @type {[string, string][]} */
const ROLES = [['agent', 'Agent'], ['supervisor', 'Supervisor'], ['admin', 'Admin']];
/** @type {[string, string][]} */
const STRATEGIES = [['least_loaded', 'The agent with the fewest chats'], ['round_robin', 'In turn'], ['sticky', 'The agent whom the visitor knows']];

/** @param {{ row: any }} props */
function AgentForm({ row }) {
  const send = (/** @type {any} */ { name, email, password, role, most }) => {
    const body = { name, email, role, maxConcurrentChats: Number(most) };
    return save(desk.agents, 'v1/agents', row, row.id ? body : { ...body, password });
  };
  return html`<${Dialog} title=${row.id ? row.name : 'A new agent'} onClose=${close}><${Form} action="Save" onSend=${send} onDone=${close}>
    <${Input} label="Name" name="name" value=${row.name} required /><${Input} label="E-mail" name="email" type="email" value=${row.email} required />
    ${!row.id && html`<${Input} label="Password (8 characters or more)" name="password" type="password" required more=${{ minlength: 8, autocomplete: 'new-password' }} />`}
    <${Choice} label="Role" name="role" value=${row.role ?? 'agent'} options=${ROLES} />
    <${Input} label="Most chats at the same time" name="most" type="number" value=${row.maxConcurrentChats ?? 6} required more=${{ min: 1, max: 20 }} />
  </${Form}>${row.id && html`<${Remove} what=${row.name} onRemove=${() => remove(desk.agents, 'v1/agents', row)} />`}</${Dialog}>`;
}

/** Asks before it removes. @param {{ what: string, onRemove: () => Promise<void> }} props */
function Remove({ what, onRemove }) {
  const [asks, ask] = useState(false);
  const act = async () => {
    if (await attempt(onRemove, `${what} was removed.`)) close();
  };
  return html`<p class="remove">${asks ? html`<button type="button" class="button danger" onClick=${act}>Really remove ${what}</button>`
    : html`<button type="button" class="button quiet danger" onClick=${() => ask(true)}>Remove</button>`}</p>`;
}

export function Agents() {
  const rows = [...desk.agents.value.values()].sort((one, other) => one.name.localeCompare(other.name));
  const may = desk.is_admin.value;
  return html`<${Page} title="Agents" about="Who answers, and how many chats each may have at the same time." may=${may}>
    <div class="table" tabindex="0" role="region" aria-label="Agents"><table><thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">Status</th><th scope="col">Chats</th><th scope="col">Groups</th>${may && html`<th><span class="sr">Actions</span></th>`}</tr></thead>
    <tbody>${rows.map((agent) => html`<tr key=${agent.id}><th scope="row"><span class="person"><${Avatar} name=${agent.name} id=${agent.id} status=${agent.status} /><span>${agent.name}<span class="muted small">${agent.email}</span></span></span></th>
      <td>${agent.role}</td><td>${agent.status}</td><td>${agent.activeChats} of ${agent.maxConcurrentChats}</td>
      <td>${agent.groupIds.map((/** @type {string} */ id) => desk.groups.value.get(id)?.name).filter(Boolean).join(', ')}</td>
      ${may && html`<td><button type="button" class="button small" aria-label=${`Change ${agent.name}`} onClick=${() => (edited.value = agent)}>Change</button></td>`}</tr>`)}</tbody></table></div>
    ${edited.value && html`<${AgentForm} row=${edited.value} />`}</${Page}>`;
}

/** @param {{ row: any }} props */
function GroupForm({ row }) {
  const [members, choose] = useState(() => new Set(row.agentIds ?? []));
  const send = async (/** @type {any} */ { name, description, strategy, isDefault }) => {
    const body = { name, description: description || (row.id ? '' : undefined), routingStrategy: strategy, isDefault: isDefault ? true : undefined };
    const group = await save(desk.groups, 'v1/groups', row, body);
    const before = new Set(row.agentIds ?? []);
    const added = [...members].filter((id) => !before.has(id));
    if (added.length) await call('POST', `v1/groups/${group.id}/agents`, { body: { agentIds: added } });
    for (const id of before) if (!members.has(id)) await call('DELETE', `v1/groups/${group.id}/agents/${id}`);
    put(desk.groups, group.id, { ...(await call('GET', `v1/groups/${group.id}`)).data });
  };
  const toggle = (/** @type {string} */ id) => {
    const next = new Set(members);
    if (!next.delete(id)) next.add(id);
    choose(next);
  };
  return html`<${Dialog} title=${row.id ? row.name : 'A new group'} onClose=${close}><${Form} action="Save" onSend=${send} onDone=${close}>
    <${Input} label="Name" name="name" value=${row.name} required /><${Input} label="Description (optional)" name="description" value=${row.description ?? ''} />
    <${Choice} label="How chats are given out" name="strategy" value=${row.routingStrategy ?? 'least_loaded'} options=${STRATEGIES} />
    <label class="check"><input type="checkbox" name="isDefault" defaultChecked=${row.isDefault} disabled=${row.isDefault} /> New chats come to this group unless the site asks for another one</label>
    <fieldset class="members"><legend class="label">Members</legend>${[...desk.agents.value.values()].map((agent) => html`<label class="check" key=${agent.id}>
      <input type="checkbox" checked=${members.has(agent.id)} onChange=${() => toggle(agent.id)} /> ${agent.name}</label>`)}</fieldset>
  </${Form}>${row.id && !row.isDefault && html`<${Remove} what=${row.name} onRemove=${() => remove(desk.groups, 'v1/groups', row)} />`}</${Dialog}>`;
}

export function Groups() {
  const may = desk.is_supervisor.value;
  return html`<${Page} title="Groups" about="Each chat belongs to a group, and the router gives it to one of its members." may=${may}>
    <ul class="cards">${[...desk.groups.value.values()].map((group) => html`<li key=${group.id}><div><${Icon} name="group" /><span><strong>${group.name}${group.isDefault ? ' (default)' : ''}</strong>
      <span class="muted small">${group.description ?? ''}</span><span class="small">${group.agentIds.length === 1 ? '1 member' : `${group.agentIds.length} members`} · ${(STRATEGIES.find(([key]) => key === group.routingStrategy) ?? ['', group.routingStrategy])[1]}</span></span>
      ${may && html`<button type="button" class="button small" aria-label=${`Change ${group.name}`} onClick=${() => (edited.value = group)}>Change</button>`}</div></li>`)}</ul>
    ${edited.value && html`<${GroupForm} row=${edited.value} />`}</${Page}>`;
}

/** @param {{ row: any }} props */
function TagForm({ row }) {
  const send = (/** @type {any} */ { name, color }) => save(desk.tags, 'v1/tags', row, { name, color });
  return html`<${Dialog} title=${row.id ? row.name : 'A new tag'} onClose=${close}><${Form} action="Save" onSend=${send} onDone=${close}>
    <${Input} label="Name" name="name" value=${row.name} required /><${Input} label="Colour" name="color" type="color" value=${row.color ?? '#2563EB'} />
  </${Form}>${row.id && html`<${Remove} what=${row.name} onRemove=${() => remove(desk.tags, 'v1/tags', row)} />`}</${Dialog}>`;
}

export function Tags() {
  const may = desk.is_supervisor.value;
  return html`<${Page} title="Tags" about="What chats are about." may=${may}><ul class="cards">${[...desk.tags.value.values()].map((tag) => html`<li key=${tag.id}><div><${Tag} tag=${tag} /><span></span>
    ${may && html`<button type="button" class="button small" aria-label=${`Change ${tag.name}`} onClick=${() => (edited.value = tag)}>Change</button>`}</div></li>`)}</ul>
    ${edited.value && html`<${TagForm} row=${edited.value} />`}</${Page}>`;
}
