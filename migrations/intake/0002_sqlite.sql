-- How far the log was when it was last put on record, so that a start need not read all of it;
-- and what a reading of the whole has found wrong, so that a restart does not forget it.

CREATE TABLE IF NOT EXISTS frontiers (
    size INTEGER NOT NULL PRIMARY KEY,
    tops BLOB NOT NULL,
    heads INTEGER NOT NULL,
    seal BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS faults (
    told TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

PRAGMA user_version = 2;
