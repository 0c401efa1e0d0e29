-- What an inspection found out about an item; `inspected` is 0 until one did, and again once the item changed. The
-- class stands above; a motion photo's film stands at bytes `motion_start` to `motion_end`.
ALTER TABLE item ADD COLUMN inspected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE item ADD COLUMN detected TEXT;
ALTER TABLE item ADD COLUMN mismatch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE item ADD COLUMN taken_wall INTEGER;
ALTER TABLE item ADD COLUMN taken_zone TEXT;
ALTER TABLE item ADD COLUMN taken_source TEXT;
ALTER TABLE item ADD COLUMN content_id TEXT;
ALTER TABLE item ADD COLUMN motion_start INTEGER;
ALTER TABLE item ADD COLUMN motion_end INTEGER;
ALTER TABLE item ADD COLUMN burst TEXT;
ALTER TABLE item ADD COLUMN health TEXT;
-- What is to be inspected; empty when a run is through.
CREATE INDEX item_uninspected ON item (key) WHERE inspected = 0 AND presence = 'present';

-- Items of one folder that belong together. A group is named by its first item.
CREATE TABLE grouping (
    item     INTEGER PRIMARY KEY REFERENCES item,
    first    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    evidence TEXT NOT NULL,
    complete INTEGER NOT NULL,
    role     TEXT NOT NULL,
    taken_wall   INTEGER,
    taken_zone   TEXT,
    taken_source TEXT
) STRICT;
CREATE INDEX grouping_by_first ON grouping (first);

-- Folders whose groups are to be found anew; the root is the empty key. Empty when a run is through.
CREATE TABLE regroup (
    folder BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
