-- The event log. Text columns never have a _bin collation and integers are signed: sqlx reads others as something else.
-- The lengths count characters of the ids' and names' own alphabets.

-- One row: the end of the log. Its lock orders all appends. A position below zero is how an append with an outdated idea
-- of the head makes itself fail.
CREATE TABLE IF NOT EXISTS log_head (
    id INT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    chain_hash BINARY(32) NOT NULL,
    recorded_us BIGINT NOT NULL,
    epoch CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    CONSTRAINT log_head_is_one_row CHECK (id = 1),
    CONSTRAINT log_head_position CHECK (position >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- A salt that is NULL marks an erased payload. JSON is kept as text, because its bytes are hashed.
CREATE TABLE IF NOT EXISTS events (
    position BIGINT NOT NULL PRIMARY KEY,
    aggregate_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    aggregate_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    sequence BIGINT NOT NULL,
    event_type VARCHAR(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    event_version VARCHAR(16) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    payload LONGTEXT NOT NULL,
    metadata LONGTEXT NOT NULL,
    event_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    command_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    causation_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    correlation_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    actor VARCHAR(128) NOT NULL,
    recorded_us BIGINT NOT NULL,
    salt VARBINARY(16) NULL,
    payload_digest BINARY(32) NOT NULL,
    chain_hash BINARY(32) NOT NULL,
    CONSTRAINT events_stream UNIQUE (aggregate_type, aggregate_id, sequence),
    CONSTRAINT events_position CHECK (position > 0),
    CONSTRAINT events_sequence CHECK (sequence > 0),
    CONSTRAINT events_payload CHECK (JSON_VALID(payload)),
    CONSTRAINT events_metadata CHECK (JSON_VALID(metadata))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Commands that may come again, and where their events are.
CREATE TABLE IF NOT EXISTS command_log (
    command_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    request_digest BINARY(32) NOT NULL,
    first_position BIGINT NOT NULL,
    last_position BIGINT NOT NULL,
    recorded_us BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- States of aggregates. The log does not depend on them.
CREATE TABLE IF NOT EXISTS snapshots (
    aggregate_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    aggregate_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    fingerprint VARCHAR(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    version BIGINT NOT NULL,
    state LONGTEXT NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
