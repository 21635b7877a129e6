-- Until when the clients of agents count as present: one lease for each session that sends heartbeats. It does not follow
-- from the log; when it is lost, nobody becomes away by it.
CREATE TABLE IF NOT EXISTS presence_leases (
    session_id TEXT NOT NULL PRIMARY KEY,
    agent_id TEXT NOT NULL,
    expires_us INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS presence_leases_by_agent ON presence_leases (agent_id, expires_us);
CREATE INDEX IF NOT EXISTS presence_leases_by_end ON presence_leases (expires_us);

-- Read models of what agents did, in figures. A chat of an agent is a thread that they joined; `joined_us` is set while
-- they serve it, `served_us` sums up the times before.
CREATE TABLE IF NOT EXISTS agent_chats (
    id TEXT NOT NULL PRIMARY KEY,
    agent_id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    began_us INTEGER NOT NULL,
    joined_us INTEGER NULL,
    served_us INTEGER NOT NULL,
    first_response_us INTEGER NULL
);
CREATE INDEX IF NOT EXISTS agent_chats_by_thread ON agent_chats (thread_id);
CREATE INDEX IF NOT EXISTS agent_chats_by_agent
    ON agent_chats (agent_id, began_us, joined_us, served_us, first_response_us);

-- `day` counts UTC days from 1970-01-01.
CREATE TABLE IF NOT EXISTS agent_days (
    id TEXT NOT NULL PRIMARY KEY,
    agent_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    chats INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    CONSTRAINT agent_days_order UNIQUE (agent_id, day)
);
