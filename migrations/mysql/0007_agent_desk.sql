-- Until when the clients of agents count as present: one lease for each session that sends heartbeats. It does not follow
-- from the log; when it is lost, nobody becomes away by it.
CREATE TABLE IF NOT EXISTS presence_leases (
    session_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    expires_us BIGINT NOT NULL,
    INDEX presence_leases_by_agent (agent_id, expires_us),
    INDEX presence_leases_by_end (expires_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Read models of what agents did, in figures. A chat of an agent is a thread that they joined; `joined_us` is set while
-- they serve it, `served_us` sums up the times before.
CREATE TABLE IF NOT EXISTS agent_chats (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    thread_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    began_us BIGINT NOT NULL,
    joined_us BIGINT NULL,
    served_us BIGINT NOT NULL,
    first_response_us BIGINT NULL,
    INDEX agent_chats_by_thread (thread_id),
    INDEX agent_chats_by_agent (agent_id, began_us, joined_us, served_us, first_response_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- `day` counts UTC days from 1970-01-01.
CREATE TABLE IF NOT EXISTS agent_days (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    day BIGINT NOT NULL,
    chats BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    CONSTRAINT agent_days_order UNIQUE (agent_id, day)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
