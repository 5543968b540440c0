-- What happened. Rows are added and never changed; migrations 0005 see to it.

CREATE TABLE statement (
	id        TEXT    PRIMARY KEY,        -- UUIDv7
	actor     TEXT    NOT NULL,           -- pseudonym
	verb      TEXT    NOT NULL,           -- short name of the xAPI verb; record.Verbs
	object    TEXT    NOT NULL,           -- what it was done to, such as "item/…"
	context   TEXT    NOT NULL,           -- within what, such as "attempt/…"; may be empty
	success   BOOLEAN,
	score     DOUBLE PRECISION,           -- scaled, −1 to 1
	duration  BIGINT,                     -- ms
	response  TEXT,
	extra     TEXT,                       -- JSON: xAPI extensions, or the whole statement when it came from outside
	at        BIGINT  NOT NULL,           -- when it happened
	stored    BIGINT  NOT NULL            -- when it was written here
);
CREATE INDEX statement_actor ON statement (actor, at);
CREATE INDEX statement_object ON statement (object, at);
CREATE INDEX statement_context ON statement (context, at) WHERE context <> '';
