-- What the training changed, and how sure that is.

CREATE TABLE evaluation (
	id           TEXT   PRIMARY KEY,
	programme_id TEXT   NOT NULL REFERENCES programme (id),
	at           BIGINT NOT NULL,
	result       TEXT   NOT NULL          -- JSON; evaluate.Result
);
CREATE INDEX evaluation_programme ON evaluation (programme_id);

CREATE TABLE person_effect (
	evaluation_id TEXT NOT NULL REFERENCES evaluation (id),
	person_id     TEXT NOT NULL REFERENCES person (id),
	trained       BOOLEAN NOT NULL,
	e             DOUBLE PRECISION NOT NULL,  -- baseline standard deviations
	low           DOUBLE PRECISION NOT NULL,  -- 95 % interval
	high          DOUBLE PRECISION NOT NULL,
	gains         TEXT NOT NULL,          -- JSON; per skill S before, after, gain and its SE
	PRIMARY KEY (evaluation_id, person_id)
);
