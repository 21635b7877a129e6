// @ts-check
/** Why the chat went to its agents, in words. */
import { html, useEffect, useState } from '../shared/html.js';
import * as desk from './desk.js';
import { call } from './session.js';
import { attempt, moment } from './ui.js';

const STRATEGIES = {
  least_loaded: 'the agent with the fewest chats',
  round_robin: 'the agents in turn',
  sticky: 'the agent whom the visitor knows, otherwise the one with the fewest chats',
};

const VERDICTS = {
  chosen: 'was chosen', not_preferred: 'was free, but another one came first', offline: 'was offline', away: 'was away',
  not_accepting: 'took no new chats', at_limit: 'had as many chats as allowed',
};

const CAUSES = {
  agent_offline: 'because the agent went offline', agent_deleted: 'because the agent was removed', agent_left_group: 'because the agent left the group',
  transferred: 'by a transfer', group_deleted: 'because its group was removed',
};

/** @param {string | null | undefined} id */
const agent = (id) => (id && desk.agents.value.get(id)?.name) || 'An agent who is gone';

/** @param {any} row @returns {string} */
function headline({ assignment, agentId, agentName, previousAgentName }) {
  switch (assignment.kind) {
    case 'routed': return `The router chose ${agentName ?? agent(agentId)}.`;
    case 'manual': return agentId === assignment.by ? `${agentName ?? agent(agentId)} took the chat.` : `${agent(assignment.by)} gave it to ${agentName ?? agent(agentId)}.`;
    case 'returned': return `${previousAgentName ? `${previousAgentName} gave it back` : 'It went'} to the queue of ${desk.groups.value.get(assignment.groupId)?.name ?? 'its group'} ${CAUSES[/** @type {'transferred'} */ (assignment.cause)] ?? ''}.`;
    case 'closed': return `It was closed: ${assignment.reason}`;
    default: return 'It changed hands.';
  }
}

/** @param {{ row: any, is_newest: boolean }} props */
function Step({ row, is_newest }) {
  const { decision, notes, reason, kind } = row.assignment;
  return html`<li><p>${headline(row)}</p>
    ${decision && html`<p class="muted small">Rule: ${STRATEGIES[/** @type {'sticky'} */ (decision.strategy)] ?? decision.strategy}.</p>
      <details open=${is_newest}><summary class="small">${decision.candidates.length} agents were considered</summary><ul class="verdicts">${decision.candidates.map((/** @type {any} */ one) => html`<li key=${one.agentId}><strong>${agent(one.agentId)}</strong> ${VERDICTS[/** @type {'chosen'} */ (one.verdict)] ?? one.verdict}
        <span class="muted"> (${one.activeChats} of ${one.chatLimit} chats${one.gaveBack ? ', gave it back before' : ''})</span></li>`)}</ul></details>`}
    ${kind !== 'closed' && reason ? html`<p class="small">“${reason}”</p>` : null}
    ${notes && html`<p class="small">Notes: ${notes}</p>`}
    <p class="muted small">${moment(row.at)}</p></li>`;
}

/** @param {{ chat: any }} props */
export function Why({ chat }) {
  const [rows, show] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    let is_current = true;
    attempt(async () => {
      const { data } = await call('GET', `v1/conversations/${chat.id}/assignments?limit=50`);
      if (is_current) show(data.data.reverse());
    });
    return () => void (is_current = false);
  }, [chat.id, chat.version]);
  return html`<h3>Why this agent?</h3>${rows.length ? html`<ol class="why">${rows.map((row, index) => html`<${Step} key=${row.version} row=${row} is_newest=${index === 0} />`)}</ol>`
    : html`<p class="muted small">No agent had the chat yet.</p>`}`;
}
