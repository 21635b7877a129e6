-- Read models: filled from the log by projectors, rebuilt from it at any time. `created_position` is the position of the
-- event that began a thing; lists are in its order, because it never changes and new things always come last.

-- `arrival` is the place in the queue, kept while a chat is served; `queue_arrival` is the same while it waits.
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT NOT NULL PRIMARY KEY,
    status TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    visitor_name TEXT NULL,
    visitor_email TEXT NULL,
    visitor_phone TEXT NULL,
    group_id TEXT NOT NULL,
    assigned_agent_id TEXT NULL,
    last_agent_id TEXT NULL,
    active_thread_id TEXT NULL,
    thread_ids TEXT NOT NULL,
    tag_ids TEXT NOT NULL,
    queue_arrival INTEGER NULL,
    arrival INTEGER NOT NULL,
    waiting_since_us INTEGER NULL,
    last_message_us INTEGER NULL,
    created_us INTEGER NOT NULL,
    closed_us INTEGER NULL,
    closed_by_type TEXT NULL,
    closed_by_id TEXT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    created_position INTEGER NOT NULL,
    CONSTRAINT conversations_order UNIQUE (created_position)
);
CREATE INDEX IF NOT EXISTS conversations_by_status ON conversations (status, created_position);
CREATE INDEX IF NOT EXISTS conversations_by_group ON conversations (group_id, created_position);
CREATE INDEX IF NOT EXISTS conversations_by_group_and_status ON conversations (group_id, status, created_position);
CREATE INDEX IF NOT EXISTS conversations_by_agent ON conversations (assigned_agent_id, created_position);
CREATE INDEX IF NOT EXISTS conversations_by_last_agent ON conversations (last_agent_id, created_position);
CREATE INDEX IF NOT EXISTS conversations_in_queue ON conversations (group_id, queue_arrival);

-- Which tags are on which conversations, these by their `created_position`.
CREATE TABLE IF NOT EXISTS conversation_tags (
    tag_id TEXT NOT NULL,
    created_position INTEGER NOT NULL,
    PRIMARY KEY (tag_id, created_position)
);

-- To which conversation a thread belongs.
CREATE TABLE IF NOT EXISTS threads (
    id TEXT NOT NULL PRIMARY KEY,
    conversation_id TEXT NOT NULL
);

-- What people read in a thread: messages, and system events such as an agent who joined.
CREATE TABLE IF NOT EXISTS thread_events (
    position INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    author_type TEXT NOT NULL,
    author_id TEXT NULL,
    content TEXT NOT NULL,
    system_type TEXT NULL,
    client_event_id TEXT NULL,
    metadata TEXT NULL,
    created_us INTEGER NOT NULL,
    CONSTRAINT thread_events_id UNIQUE (id)
);
CREATE INDEX IF NOT EXISTS thread_events_by_thread ON thread_events (thread_id, position);

-- `search_text` holds name and address in lower case, since SQLite folds only ASCII.
CREATE TABLE IF NOT EXISTS agents (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    search_text TEXT NOT NULL,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    accepting_chats INTEGER NOT NULL,
    max_concurrent_chats INTEGER NOT NULL,
    active_chats INTEGER NOT NULL,
    avatar TEXT NULL,
    deleted INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_position INTEGER NOT NULL,
    CONSTRAINT agents_order UNIQUE (created_position)
);

-- `groups` alone is a reserved word of MySQL 8.
CREATE TABLE IF NOT EXISTS agent_groups (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NULL,
    routing_strategy TEXT NOT NULL,
    is_default INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_position INTEGER NOT NULL,
    CONSTRAINT agent_groups_order UNIQUE (created_position)
);

CREATE TABLE IF NOT EXISTS group_members (
    group_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    PRIMARY KEY (group_id, agent_id)
);
CREATE INDEX IF NOT EXISTS group_members_by_agent ON group_members (agent_id);

CREATE TABLE IF NOT EXISTS tags (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    color TEXT NULL,
    deleted INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_position INTEGER NOT NULL,
    CONSTRAINT tags_order UNIQUE (created_position)
);
