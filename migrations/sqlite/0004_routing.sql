-- The router's stored state, folded from the log like a read model.

-- The chats that wait. `attempts`, `next_attempt_us` and `last_error` come from the router's attempts, not from the log.
CREATE TABLE IF NOT EXISTS routing_queue (
    conversation_id TEXT NOT NULL PRIMARY KEY,
    group_id TEXT NOT NULL,
    arrival INTEGER NOT NULL,
    waiting_since INTEGER NOT NULL,
    since_us INTEGER NOT NULL,
    last_agent_id TEXT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_us INTEGER NULL,
    last_error TEXT NULL
);
CREATE INDEX IF NOT EXISTS routing_queue_order ON routing_queue (group_id, arrival);

-- Agents, groups, and the original places of chats that are served.
CREATE TABLE IF NOT EXISTS routing_state (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
