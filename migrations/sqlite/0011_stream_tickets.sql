-- Tickets for streams of clients that cannot send a token: SHA-256 of each. `use_by_us` is the end of its first use, `ends_us`
-- that of every use; `holder` names the connection that reads with it.
CREATE TABLE IF NOT EXISTS stream_tickets (
    id TEXT NOT NULL PRIMARY KEY,
    agent_id TEXT NULL,
    visitor_id TEXT NULL,
    session_id TEXT NULL,
    use_by_us INTEGER NOT NULL,
    ends_us INTEGER NOT NULL,
    holder TEXT NULL
);
