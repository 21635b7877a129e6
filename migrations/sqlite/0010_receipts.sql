-- How far people have read. `unread_by_agents` counts the messages of the visitor that no agent has seen, `unread_by_visitor`
-- those of agents that the visitor has not seen; `seen_up_to` is a JSON list of readers with their positions.
ALTER TABLE conversations ADD COLUMN unread_by_agents INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN unread_by_visitor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN seen_up_to TEXT NOT NULL DEFAULT '[]';
