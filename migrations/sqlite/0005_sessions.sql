-- Agents' sessions: one for each log-in.
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT NOT NULL PRIMARY KEY,
    agent_id TEXT NOT NULL,
    refresh_hash BLOB NOT NULL,
    expires_us INTEGER NOT NULL,
    ended_us INTEGER NULL
);
CREATE INDEX IF NOT EXISTS sessions_by_agent ON sessions (agent_id, ended_us);
