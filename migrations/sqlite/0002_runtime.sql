-- What the running service keeps beside the log.

-- How far each projector has come, with the log's hash at that place.
CREATE TABLE IF NOT EXISTS checkpoints (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    chain_hash BLOB NOT NULL,
    epoch TEXT NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (name, version)
);

-- Which node does a work that only one may do, in the database's time.
CREATE TABLE IF NOT EXISTS leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    expires_us INTEGER NOT NULL
);

-- Hashes of passwords, which must never be in the log.
CREATE TABLE IF NOT EXISTS credentials (
    agent_id TEXT NOT NULL PRIMARY KEY,
    password_hash TEXT NOT NULL,
    changed_us INTEGER NOT NULL
);

-- The first answer to a request that may come again.
CREATE TABLE IF NOT EXISTS idempotent_responses (
    command_id TEXT NOT NULL PRIMARY KEY,
    request_digest BLOB NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_us INTEGER NOT NULL
);
