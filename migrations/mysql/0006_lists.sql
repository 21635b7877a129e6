-- Lists of conversations by every filter, their counts, and the search in their texts. The conversations are projected anew.

DROP TABLE IF EXISTS conversation_tags;
DROP TABLE IF EXISTS conversations;
DELETE FROM checkpoints WHERE name = 'conversations';

-- Its key is its place in the lists. `listed_agent_id` is the agent who serves it, or served it when it was closed;
-- `waiting_position` is the event with which it began to wait. `arrival` is the place in the queue, kept while a chat is
-- served; `queue_arrival` is the same while it waits.
CREATE TABLE IF NOT EXISTS conversations (
    created_position BIGINT NOT NULL PRIMARY KEY,
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    visitor_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    visitor_name VARCHAR(200) NULL,
    visitor_email VARCHAR(254) NULL,
    visitor_phone VARCHAR(50) NULL,
    group_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    assigned_agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    listed_agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    last_agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    active_thread_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    thread_ids LONGTEXT NOT NULL,
    tag_ids LONGTEXT NOT NULL,
    queue_arrival BIGINT NULL,
    arrival BIGINT NOT NULL,
    waiting_position BIGINT NULL,
    waiting_since_us BIGINT NULL,
    last_message_us BIGINT NULL,
    created_us BIGINT NOT NULL,
    closed_us BIGINT NULL,
    closed_by_type VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    closed_by_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    CONSTRAINT conversations_id UNIQUE (id),
    INDEX conversations_by_status (status, created_position),
    INDEX conversations_by_group (group_id, created_position),
    INDEX conversations_by_group_and_status (group_id, status, created_position),
    INDEX conversations_by_agent (listed_agent_id, status, created_position),
    INDEX conversations_by_agent_and_group (listed_agent_id, group_id, status, created_position),
    INDEX conversations_by_time (created_us),
    INDEX conversations_waiting (waiting_position),
    INDEX conversations_waiting_in_group (group_id, waiting_position),
    INDEX conversations_waiting_again (last_agent_id, waiting_position),
    INDEX conversations_in_queue (group_id, queue_arrival)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Which tags are on which conversations, these by their `created_position`, with what lists of them are filtered by.
CREATE TABLE IF NOT EXISTS conversation_tags (
    tag_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    created_position BIGINT NOT NULL,
    status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    group_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    listed_agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (tag_id, created_position),
    INDEX conversation_tags_by_status (tag_id, status, created_position),
    INDEX conversation_tags_by_group (tag_id, group_id, status, created_position),
    INDEX conversation_tags_by_agent (tag_id, listed_agent_id, status, created_position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- How many conversations there are: `all`, those of a group (`group:GROUP`), and those of a group that an agent serves or
-- served last (`agent:AGENT:GROUP`). Where there are none, there is no row.
CREATE TABLE IF NOT EXISTS conversation_counts (
    scope VARCHAR(100) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    pending BIGINT NOT NULL,
    active BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    PRIMARY KEY (scope)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One row: the latest start of a conversation so far, and by how much a start was ever behind the latest one before it.
-- With it a range of time becomes a range of positions.
CREATE TABLE IF NOT EXISTS conversation_clock (
    id BIGINT NOT NULL PRIMARY KEY,
    latest_us BIGINT NOT NULL,
    lateness_us BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The search: the conversations that it knows, and which words are in them. A word is folded (case, accents); the first
-- three letters of a longer one stand for themselves, with `*`. Words are compared byte by byte, as SQLite does.
CREATE TABLE IF NOT EXISTS search_chats (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    created_position BIGINT NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE IF NOT EXISTS search_words (
    word VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_position BIGINT NOT NULL,
    PRIMARY KEY (word, created_position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The queue of all groups, first come first.
SET @step = (SELECT IF(COUNT(*) = 0, 'CREATE INDEX routing_queue_by_arrival ON routing_queue (arrival)', 'DO 0')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'routing_queue' AND index_name = 'routing_queue_by_arrival');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
