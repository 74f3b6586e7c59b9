-- How far the log was when it was last put on record, so that a start need not read all of it;
-- and what a reading of the whole has found wrong, so that no process forgets it.

CREATE TABLE IF NOT EXISTS frontiers (
    size BIGINT NOT NULL PRIMARY KEY,
    tops BYTEA NOT NULL,
    heads BIGINT NOT NULL,
    seal BYTEA NOT NULL
);

CREATE TABLE IF NOT EXISTS faults (
    told TEXT NOT NULL PRIMARY KEY
);
