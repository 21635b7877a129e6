// @ts-check
/** Windows of a chat. */
import { html, useState } from '../shared/html.js';
import * as desk from './desk.js';
import { Dialog, Form } from './ui.js';

/** @param {{ chat: any, onClose: () => void }} props */
export function Transfer({ chat, onClose }) {
  const [to, choose] = useState('');
  const agents = [...desk.agents.value.values()].filter(({ id }) => id !== chat.assignedAgentId);
  const free = (/** @type {any} */ agent) => agent.status === 'online' && agent.acceptingChats && agent.activeChats < agent.maxConcurrentChats;
  agents.sort((one, other) => Number(free(other)) - Number(free(one)) || one.name.localeCompare(other.name));
  const send = ({ to, reason }) => {
    const [kind, id] = to.split(':');
    return desk.change('POST', chat, 'transfer', { [kind]: id, reason: reason || undefined });
  };
  return html`<${Dialog} title="Transfer the chat" onClose=${onClose}><${Form} action="Transfer" onSend=${send} onDone=${onClose}>
    <label class="field"><span>To</span><select class="input" name="to" required value=${to} onChange=${(/** @type {any} */ event) => choose(event.target.value)}>
      <option value="">Choose an agent or a group</option>
      <optgroup label="Agents">${agents.map((agent) => html`<option key=${agent.id} value=${`agentId:${agent.id}`}>
        ${agent.name} (${free(agent) ? `free, ${agent.activeChats} of ${agent.maxConcurrentChats} chats` : agent.status === 'online' ? 'full' : agent.status})</option>`)}</optgroup>
      <optgroup label="Groups">${[...desk.groups.value.values()].map((group) => html`<option key=${group.id} value=${`groupId:${group.id}`}>${group.name}</option>`)}</optgroup></select></label>
    <label class="field"><span>Reason (optional, for your colleagues)</span><textarea class="input" name="reason" maxlength="2000"></textarea></label>
  </${Form}></${Dialog}>`;
}

/** @param {{ chat: any, onClose: () => void }} props */
export function CloseChat({ chat, onClose }) {
  const send = ({ reason, notes }) => desk.change('POST', chat, 'close', { reason: reason || 'Done', notes: notes || undefined });
  return html`<${Dialog} title="Close the chat" onClose=${onClose}><${Form} action="Close the chat" onSend=${send} onDone=${onClose}>
    <label class="field"><span>Reason</span><input class="input" name="reason" value="Done" maxlength="200" required /></label>
    <label class="field"><span>Notes (optional, never shown to the visitor)</span><textarea class="input" name="notes" maxlength="2000"></textarea></label>
  </${Form}></${Dialog}>`;
}
