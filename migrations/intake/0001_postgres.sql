-- The intake of one wave: TRUST section 7, in the schema that search_path names. The row of
-- "about" is the lock behind which every append waits its turn.

CREATE TABLE about (
    wave TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'open', 'paused', 'closed')),
    structure INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE slips (
    e BYTEA NOT NULL CHECK (length(e) = 32),
    domain TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('unused', 'used', 'disputed', 'voided')),
    CONSTRAINT slips_key PRIMARY KEY (e)
) WITH (fillfactor = 70);

CREATE TABLE posters (
    domain TEXT NOT NULL PRIMARY KEY,
    mode TEXT NOT NULL CHECK (mode IN ('quota', 'open', 'surplus')),
    quota BIGINT NOT NULL CHECK (quota >= 0),
    surplus TEXT,
    used BIGINT NOT NULL CHECK (used >= 0 AND (mode <> 'quota' OR used <= quota))
);

CREATE TABLE sealed (
    c BYTEA NOT NULL CHECK (length(c) = 32),
    box BYTEA NOT NULL CHECK (length(box) > 32),
    CONSTRAINT sealed_key PRIMARY KEY (c)
);

CREATE TABLE leaves (
    "index" BIGINT NOT NULL CHECK ("index" >= 0),
    leaf BYTEA NOT NULL,
    k BYTEA NOT NULL CHECK (length(k) = 32),
    CONSTRAINT leaves_key PRIMARY KEY ("index"),
    CONSTRAINT leaves_once UNIQUE (k)
);

CREATE TABLE heads (
    size BIGINT NOT NULL,
    note TEXT NOT NULL,
    CONSTRAINT heads_key PRIMARY KEY (size)
);

CREATE TABLE counters (
    domain TEXT NOT NULL,
    kind TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (domain, kind)
);

CREATE TABLE disputes (
    domain TEXT NOT NULL,
    day BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (domain, day)
);

CREATE FUNCTION refuse_unless_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM about) <> 'open' THEN RAISE EXCEPTION 'the wave is not open'; END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'append-only'; END $$;

CREATE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'closed' AND NEW.state <> 'closed' THEN RAISE EXCEPTION 'closed stays closed'; END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER leaves_only_while_open AFTER INSERT ON leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unless_open();
CREATE TRIGGER sealed_only_while_open AFTER INSERT ON sealed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unless_open();
CREATE TRIGGER leaves_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER closed_stays_closed BEFORE UPDATE ON about
    FOR EACH ROW EXECUTE FUNCTION refuse_reopening();
