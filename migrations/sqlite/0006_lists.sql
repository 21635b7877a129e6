-- Lists of conversations by every filter, their counts, and the search in their texts. The conversations are projected anew.

DROP TABLE IF EXISTS conversation_tags;
DROP TABLE IF EXISTS conversations;
DELETE FROM checkpoints WHERE name = 'conversations';

-- Its key is its place in the lists. `listed_agent_id` is the agent who serves it, or served it when it was closed;
-- `waiting_position` is the event with which it began to wait. `arrival` is the place in the queue, kept while a chat is
-- served; `queue_arrival` is the same while it waits.
CREATE TABLE IF NOT EXISTS conversations (
    created_position INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    visitor_name TEXT NULL,
    visitor_email TEXT NULL,
    visitor_phone TEXT NULL,
    group_id TEXT NOT NULL,
    assigned_agent_id TEXT NULL,
    listed_agent_id TEXT NULL,
    last_agent_id TEXT NULL,
    active_thread_id TEXT NULL,
    thread_ids TEXT NOT NULL,
    tag_ids TEXT NOT NULL,
    queue_arrival INTEGER NULL,
    arrival INTEGER NOT NULL,
    waiting_position INTEGER NULL,
    waiting_since_us INTEGER NULL,
    last_message_us INTEGER NULL,
    created_us INTEGER NOT NULL,
    closed_us INTEGER NULL,
    closed_by_type TEXT NULL,
    closed_by_id TEXT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT conversations_id UNIQUE (id)
);
CREATE INDEX IF NOT EXISTS conversations_by_status ON conversations (status, created_position);
CREATE INDEX IF NOT EXISTS conversations_by_group ON conversations (group_id, created_position);
CREATE INDEX IF NOT EXISTS conversations_by_group_and_status ON conversations (group_id, status, created_position);
CREATE INDEX IF NOT EXISTS conversations_by_agent ON conversations (listed_agent_id, status, created_position);
CREATE INDEX IF NOT EXISTS conversations_by_agent_and_group ON conversations (listed_agent_id, group_id, status, created_position);
CREATE INDEX IF NOT EXISTS conversations_by_time ON conversations (created_us);
CREATE INDEX IF NOT EXISTS conversations_waiting ON conversations (waiting_position);
CREATE INDEX IF NOT EXISTS conversations_waiting_in_group ON conversations (group_id, waiting_position);
CREATE INDEX IF NOT EXISTS conversations_waiting_again ON conversations (last_agent_id, waiting_position);
CREATE INDEX IF NOT EXISTS conversations_in_queue ON conversations (group_id, queue_arrival);

-- Which tags are on which conversations, these by their `created_position`, with what lists of them are filtered by.
CREATE TABLE IF NOT EXISTS conversation_tags (
    tag_id TEXT NOT NULL,
    created_position INTEGER NOT NULL,
    status TEXT NOT NULL,
    group_id TEXT NOT NULL,
    listed_agent_id TEXT NULL,
    created_us INTEGER NOT NULL,
    PRIMARY KEY (tag_id, created_position)
);
CREATE INDEX IF NOT EXISTS conversation_tags_by_status ON conversation_tags (tag_id, status, created_position);
CREATE INDEX IF NOT EXISTS conversation_tags_by_group ON conversation_tags (tag_id, group_id, status, created_position);
CREATE INDEX IF NOT EXISTS conversation_tags_by_agent ON conversation_tags (tag_id, listed_agent_id, status, created_position);

-- How many conversations there are: `all`, those of a group (`group:GROUP`), and those of a group that an agent serves or
-- served last (`agent:AGENT:GROUP`). Where there are none, there is no row.
CREATE TABLE IF NOT EXISTS conversation_counts (
    scope TEXT NOT NULL,
    pending INTEGER NOT NULL,
    active INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    PRIMARY KEY (scope)
);

-- One row: the latest start of a conversation so far, and by how much a start was ever behind the latest one before it.
-- With it a range of time becomes a range of positions.
CREATE TABLE IF NOT EXISTS conversation_clock (
    id INTEGER NOT NULL PRIMARY KEY,
    latest_us INTEGER NOT NULL,
    lateness_us INTEGER NOT NULL
);

-- The search: the conversations that it knows, and which words are in them. A word is folded (case, accents); the first
-- three letters of a longer one stand for themselves, with `*`.
CREATE TABLE IF NOT EXISTS search_chats (
    id TEXT NOT NULL,
    created_position INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS search_words (
    word TEXT NOT NULL,
    created_position INTEGER NOT NULL,
    PRIMARY KEY (word, created_position)
) WITHOUT ROWID;

-- The queue of all groups, first come first.
CREATE INDEX IF NOT EXISTS routing_queue_by_arrival ON routing_queue (arrival);
