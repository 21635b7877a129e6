-- Which histories came out of a backup. While `finished_us` is NULL the database is not whole: the restore is under way,
-- or it broke off, and no server may start on it.
CREATE TABLE IF NOT EXISTS restores (
    epoch TEXT NOT NULL PRIMARY KEY,
    from_epoch TEXT NOT NULL,
    position INTEGER NOT NULL,
    begun_us INTEGER NOT NULL,
    finished_us INTEGER NULL
);
