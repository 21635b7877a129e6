-- The router's stored state, folded from the log like a read model.

-- The chats that wait. `attempts`, `next_attempt_us` and `last_error` come from the router's attempts, not from the log.
CREATE TABLE IF NOT EXISTS routing_queue (
    conversation_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    group_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    arrival BIGINT NOT NULL,
    waiting_since BIGINT NOT NULL,
    since_us BIGINT NOT NULL,
    last_agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    attempts BIGINT NOT NULL,
    next_attempt_us BIGINT NULL,
    last_error TEXT NULL,
    INDEX routing_queue_order (group_id, arrival)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Agents, groups, and the original places of chats that are served.
CREATE TABLE IF NOT EXISTS routing_state (
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    document LONGTEXT NOT NULL,
    PRIMARY KEY (kind, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
