-- The intake of one wave: TRUST section 7. Keys are digests, nothing is numbered by arrival
-- but the log itself, and no row holds slip and leaf, or time and answer.

CREATE TABLE about (
    wave TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'open', 'paused', 'closed'))
) WITHOUT ROWID;

CREATE TABLE slips (
    e BLOB NOT NULL PRIMARY KEY CHECK (typeof(e) = 'blob' AND length(e) = 32),
    domain TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('unused', 'used', 'disputed', 'voided'))
) WITHOUT ROWID;

CREATE TABLE posters (
    domain TEXT NOT NULL PRIMARY KEY,
    mode TEXT NOT NULL CHECK (mode IN ('quota', 'open', 'surplus')),
    quota INTEGER NOT NULL CHECK (quota >= 0),
    surplus TEXT,
    used INTEGER NOT NULL CHECK (used >= 0 AND (mode <> 'quota' OR used <= quota))
) WITHOUT ROWID;

CREATE TABLE sealed (
    c BLOB NOT NULL PRIMARY KEY CHECK (typeof(c) = 'blob' AND length(c) = 32),
    box BLOB NOT NULL CHECK (typeof(box) = 'blob' AND length(box) > 32)
) WITHOUT ROWID;

CREATE TABLE leaves (
    "index" INTEGER NOT NULL PRIMARY KEY CHECK ("index" >= 0),
    leaf BLOB NOT NULL CHECK (typeof(leaf) = 'blob'),
    k BLOB NOT NULL UNIQUE CHECK (typeof(k) = 'blob' AND length(k) = 32)
) WITHOUT ROWID;

CREATE TABLE heads (
    size INTEGER NOT NULL PRIMARY KEY,
    note TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE counters (
    domain TEXT NOT NULL,
    kind TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (domain, kind)
) WITHOUT ROWID;

CREATE TABLE disputes (
    domain TEXT NOT NULL,
    day INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (domain, day)
) WITHOUT ROWID;

CREATE TRIGGER leaves_only_while_open BEFORE INSERT ON leaves
WHEN (SELECT state FROM about) <> 'open'
BEGIN SELECT RAISE(ABORT, 'the wave is not open'); END;

CREATE TRIGGER sealed_only_while_open BEFORE INSERT ON sealed
WHEN (SELECT state FROM about) <> 'open'
BEGIN SELECT RAISE(ABORT, 'the wave is not open'); END;

CREATE TRIGGER leaves_stay BEFORE DELETE ON leaves
BEGIN SELECT RAISE(ABORT, 'append-only'); END;

CREATE TRIGGER leaves_stay_as_they_are BEFORE UPDATE ON leaves
BEGIN SELECT RAISE(ABORT, 'append-only'); END;

CREATE TRIGGER closed_stays_closed BEFORE UPDATE OF state ON about
WHEN OLD.state = 'closed' AND NEW.state <> 'closed'
BEGIN SELECT RAISE(ABORT, 'closed stays closed'); END;

PRAGMA user_version = 1;
