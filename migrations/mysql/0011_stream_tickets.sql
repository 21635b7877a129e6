-- Tickets for streams of clients that cannot send a token: SHA-256 of each. `use_by_us` is the end of its first use, `ends_us`
-- that of every use; `holder` names the connection that reads with it.
CREATE TABLE IF NOT EXISTS stream_tickets (
    id CHAR(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    visitor_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    session_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    use_by_us BIGINT NOT NULL,
    ends_us BIGINT NOT NULL,
    holder CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
