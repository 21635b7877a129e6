-- The event log.

-- One row: the end of the log. A position below zero is how an append with an outdated idea of the head makes itself
-- fail.
CREATE TABLE IF NOT EXISTS log_head (
    id INTEGER NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    chain_hash BLOB NOT NULL,
    recorded_us INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    CONSTRAINT log_head_is_one_row CHECK (id = 1),
    CONSTRAINT log_head_position CHECK (position >= 0),
    CONSTRAINT log_head_hash CHECK (length(chain_hash) = 32)
);

-- A salt that is NULL marks an erased payload. JSON is kept as text, because its bytes are hashed.
CREATE TABLE IF NOT EXISTS events (
    position INTEGER NOT NULL PRIMARY KEY,
    aggregate_type TEXT NOT NULL,
    aggregate_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    event_version TEXT NOT NULL,
    payload TEXT NOT NULL,
    metadata TEXT NOT NULL,
    event_id TEXT NOT NULL,
    command_id TEXT NOT NULL,
    causation_id TEXT NULL,
    correlation_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    recorded_us INTEGER NOT NULL,
    salt BLOB NULL,
    payload_digest BLOB NOT NULL,
    chain_hash BLOB NOT NULL,
    CONSTRAINT events_stream UNIQUE (aggregate_type, aggregate_id, sequence),
    CONSTRAINT events_position CHECK (position > 0),
    CONSTRAINT events_sequence CHECK (sequence > 0),
    CONSTRAINT events_payload CHECK (json_valid(payload)),
    CONSTRAINT events_metadata CHECK (json_valid(metadata))
);

-- Commands that may come again, and where their events are.
CREATE TABLE IF NOT EXISTS command_log (
    command_id TEXT NOT NULL PRIMARY KEY,
    request_digest BLOB NOT NULL,
    first_position INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    recorded_us INTEGER NOT NULL
) WITHOUT ROWID;

-- States of aggregates. The log does not depend on them.
CREATE TABLE IF NOT EXISTS snapshots (
    aggregate_type TEXT NOT NULL,
    aggregate_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
);
