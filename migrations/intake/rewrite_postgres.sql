-- After closing: every table that could tie slip, box and leaf of one transaction together by
-- xmin or ctid is written again in the order of its key, in one transaction of its own.

CREATE TABLE slips_rewritten AS SELECT e, domain, state FROM slips ORDER BY e;
DROP TABLE slips;
ALTER TABLE slips_rewritten RENAME TO slips;
ALTER TABLE slips ALTER COLUMN e SET NOT NULL, ALTER COLUMN domain SET NOT NULL,
    ALTER COLUMN state SET NOT NULL, ADD CONSTRAINT slips_key PRIMARY KEY (e);

CREATE TABLE sealed_rewritten AS SELECT c, box FROM sealed ORDER BY c;
DROP TABLE sealed;
ALTER TABLE sealed_rewritten RENAME TO sealed;
ALTER TABLE sealed ALTER COLUMN c SET NOT NULL, ALTER COLUMN box SET NOT NULL,
    ADD CONSTRAINT sealed_key PRIMARY KEY (c);

CREATE TABLE leaves_rewritten AS SELECT "index", leaf, k FROM leaves ORDER BY "index";
DROP TABLE leaves;
ALTER TABLE leaves_rewritten RENAME TO leaves;
ALTER TABLE leaves ALTER COLUMN "index" SET NOT NULL, ALTER COLUMN leaf SET NOT NULL,
    ALTER COLUMN k SET NOT NULL, ADD CONSTRAINT leaves_key PRIMARY KEY ("index"),
    ADD CONSTRAINT leaves_once UNIQUE (k);

CREATE TABLE heads_rewritten AS SELECT size, note FROM heads ORDER BY size;
DROP TABLE heads;
ALTER TABLE heads_rewritten RENAME TO heads;
ALTER TABLE heads ALTER COLUMN size SET NOT NULL, ALTER COLUMN note SET NOT NULL,
    ADD CONSTRAINT heads_key PRIMARY KEY (size);

CREATE TRIGGER leaves_only_while_open AFTER INSERT ON leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unless_open();
CREATE TRIGGER sealed_only_while_open AFTER INSERT ON sealed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unless_open();
CREATE TRIGGER leaves_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
