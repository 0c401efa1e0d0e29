-- What providers remember about their destinations; may be lost without harm.
CREATE TABLE page (
    destination INTEGER NOT NULL REFERENCES destination,
    name        TEXT NOT NULL,
    text        TEXT NOT NULL,
    PRIMARY KEY (destination, name)
) STRICT, WITHOUT ROWID;
