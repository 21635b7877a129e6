-- Agents' sessions: one for each log-in.
CREATE TABLE IF NOT EXISTS sessions (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    refresh_hash VARBINARY(32) NOT NULL,
    expires_us BIGINT NOT NULL,
    ended_us BIGINT NULL,
    INDEX sessions_by_agent (agent_id, ended_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
