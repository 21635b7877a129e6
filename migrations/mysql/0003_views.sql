-- Read models: filled from the log by projectors, rebuilt from it at any time. `created_position` is the position of the
-- event that began a thing; lists are in its order, because it never changes and new things always come last.

-- `arrival` is the place in the queue, kept while a chat is served; `queue_arrival` is the same while it waits.
CREATE TABLE IF NOT EXISTS conversations (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    visitor_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    visitor_name VARCHAR(200) NULL,
    visitor_email VARCHAR(254) NULL,
    visitor_phone VARCHAR(50) NULL,
    group_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    assigned_agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    last_agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    active_thread_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    thread_ids LONGTEXT NOT NULL,
    tag_ids LONGTEXT NOT NULL,
    queue_arrival BIGINT NULL,
    arrival BIGINT NOT NULL,
    waiting_since_us BIGINT NULL,
    last_message_us BIGINT NULL,
    created_us BIGINT NOT NULL,
    closed_us BIGINT NULL,
    closed_by_type VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    closed_by_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    created_position BIGINT NOT NULL,
    CONSTRAINT conversations_order UNIQUE (created_position),
    INDEX conversations_by_status (status, created_position),
    INDEX conversations_by_group (group_id, created_position),
    INDEX conversations_by_group_and_status (group_id, status, created_position),
    INDEX conversations_by_agent (assigned_agent_id, created_position),
    INDEX conversations_by_last_agent (last_agent_id, created_position),
    INDEX conversations_in_queue (group_id, queue_arrival)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Which tags are on which conversations, these by their `created_position`.
CREATE TABLE IF NOT EXISTS conversation_tags (
    tag_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    created_position BIGINT NOT NULL,
    PRIMARY KEY (tag_id, created_position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- To which conversation a thread belongs.
CREATE TABLE IF NOT EXISTS threads (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    conversation_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What people read in a thread: messages, and system events such as an agent who joined.
CREATE TABLE IF NOT EXISTS thread_events (
    position BIGINT NOT NULL PRIMARY KEY,
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    thread_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    conversation_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    author_type VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    author_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    content TEXT NOT NULL,
    system_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    client_event_id VARCHAR(100) NULL,
    metadata LONGTEXT NULL,
    created_us BIGINT NOT NULL,
    CONSTRAINT thread_events_id UNIQUE (id),
    INDEX thread_events_by_thread (thread_id, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- `search_text` holds name and address in lower case, since SQLite folds only ASCII.
CREATE TABLE IF NOT EXISTS agents (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    email VARCHAR(254) NOT NULL,
    search_text TEXT NOT NULL,
    role VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    accepting_chats BIGINT NOT NULL,
    max_concurrent_chats BIGINT NOT NULL,
    active_chats BIGINT NOT NULL,
    avatar TEXT NULL,
    deleted BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_position BIGINT NOT NULL,
    CONSTRAINT agents_order UNIQUE (created_position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- `groups` alone is a reserved word of MySQL 8.
CREATE TABLE IF NOT EXISTS agent_groups (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    description TEXT NULL,
    routing_strategy VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    is_default BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_position BIGINT NOT NULL,
    CONSTRAINT agent_groups_order UNIQUE (created_position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS group_members (
    group_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    PRIMARY KEY (group_id, agent_id),
    INDEX group_members_by_agent (agent_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS tags (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    color VARCHAR(7) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    deleted BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_position BIGINT NOT NULL,
    CONSTRAINT tags_order UNIQUE (created_position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
