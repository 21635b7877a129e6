-- Which histories came out of a backup. While `finished_us` is NULL the database is not whole: the restore is under way,
-- or it broke off, and no server may start on it.
CREATE TABLE IF NOT EXISTS restores (
    epoch CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL PRIMARY KEY,
    from_epoch CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    position BIGINT NOT NULL,
    begun_us BIGINT NOT NULL,
    finished_us BIGINT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
