-- What is remembered of the library as a whole.
CREATE TABLE library (
    name  TEXT PRIMARY KEY,
    value TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE mount (
    key    BLOB PRIMARY KEY,
    volume TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Content by its SHA-256; several items and copies may share one row.
CREATE TABLE content (
    id      INTEGER PRIMARY KEY,
    sha256  BLOB NOT NULL UNIQUE,
    size    INTEGER NOT NULL,
    md5     BLOB,
    crc32c  INTEGER,
    dropbox BLOB
) STRICT;

-- One row per file that was ever seen in the library. Times are nanoseconds since 1970.
CREATE TABLE item (
    id        INTEGER PRIMARY KEY,
    key       BLOB NOT NULL UNIQUE,
    size      INTEGER NOT NULL,
    modified  INTEGER NOT NULL,
    changed   INTEGER,
    file_id   INTEGER,
    class     TEXT NOT NULL,
    presence  TEXT NOT NULL,
    gone_at   INTEGER,
    freshness TEXT NOT NULL,
    content   INTEGER REFERENCES content
) STRICT;
-- Counts, and what is gone in the order of items.
CREATE INDEX item_by_presence ON item (presence);
-- Moves are recognised by the content of what is gone.
CREATE INDEX item_gone_by_content ON item (content) WHERE presence = 'gone';
-- Changed under their name; empty when a run is through.
CREATE INDEX item_changed ON item (presence) WHERE freshness <> 'fresh' AND content IS NOT NULL;

CREATE TABLE destination (
    id        INTEGER PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE,
    marker    TEXT,
    volume    TEXT,
    last_seen INTEGER,
    last_done INTEGER
) STRICT;

-- One item at one destination. `key` is NULL where the copy stands under the item's own key.
CREATE TABLE leg (
    item        INTEGER NOT NULL REFERENCES item,
    destination INTEGER NOT NULL REFERENCES destination,
    todo        INTEGER NOT NULL,
    hold        TEXT,
    tried_run   INTEGER,
    content     INTEGER REFERENCES content,
    key         BLOB,
    version     TEXT,
    remote_id   TEXT,
    proof       TEXT,
    proved_at   INTEGER,
    proved_run  INTEGER,
    assigned    BLOB,
    fold        BLOB,
    PRIMARY KEY (item, destination)
) STRICT, WITHOUT ROWID;
-- Work in the order of items; empty when there is nothing to do.
CREATE INDEX leg_todo ON leg (item, destination, hold, tried_run) WHERE todo = 1;
-- Counts per destination.
CREATE INDEX leg_by_state ON leg (destination, todo, hold);
CREATE UNIQUE INDEX leg_by_fold ON leg (destination, fold) WHERE fold IS NOT NULL;
CREATE INDEX leg_by_key ON leg (destination, key) WHERE key IS NOT NULL;

-- What stands in a destination's trash or among its versions.
CREATE TABLE retained (
    id          INTEGER PRIMARY KEY,
    destination INTEGER NOT NULL REFERENCES destination,
    keeping     TEXT NOT NULL,
    original    BLOB NOT NULL,
    key         BLOB,
    version     TEXT,
    content     INTEGER NOT NULL REFERENCES content,
    since       INTEGER NOT NULL,
    until       INTEGER
) STRICT;
CREATE INDEX retained_trash ON retained (destination, until) WHERE keeping = 'trash';
CREATE INDEX retained_versions ON retained (destination, original, since) WHERE keeping = 'version';

CREATE TABLE run (
    id      INTEGER PRIMARY KEY,
    job     TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended   INTEGER,
    exit    INTEGER,
    report  TEXT
) STRICT;

CREATE TABLE problem (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL REFERENCES run,
    destination TEXT,
    key         BLOB,
    code        TEXT NOT NULL,
    message     TEXT NOT NULL
) STRICT;
CREATE INDEX problem_by_run ON problem (run);
