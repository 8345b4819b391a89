-- Overview's chart: what became of mail, in steps of a minute and of an hour (store/traffic.h).
CREATE TABLE traffic (
  step smallint NOT NULL CHECK (step IN (60, 3600)), -- seconds
  at timestamptz NOT NULL,                           -- the step's begin
  accepted bigint NOT NULL,
  delivered bigint NOT NULL,
  deferred bigint NOT NULL,
  refused bigint NOT NULL,
  PRIMARY KEY (step, at)
);
