-- What the running service keeps beside the log.

-- How far each projector has come, with the log's hash at that place.
CREATE TABLE IF NOT EXISTS checkpoints (
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    chain_hash BINARY(32) NOT NULL,
    epoch CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (name, version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Which node does a work that only one may do, in the database's time.
CREATE TABLE IF NOT EXISTS leases (
    name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    owner VARCHAR(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    expires_us BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Hashes of passwords, which must never be in the log.
CREATE TABLE IF NOT EXISTS credentials (
    agent_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    changed_us BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The first answer to a request that may come again.
CREATE TABLE IF NOT EXISTS idempotent_responses (
    command_id CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    request_digest VARBINARY(32) NOT NULL,
    status BIGINT NOT NULL,
    body LONGTEXT NOT NULL,
    created_us BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
