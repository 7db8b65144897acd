-- What the league has, and the publication of its one table.
CREATE TABLE IF NOT EXISTS matches (
  id         integer PRIMARY KEY,
  home       text NOT NULL,
  away       text NOT NULL,
  home_goals integer NOT NULL DEFAULT 0,
  away_goals integer NOT NULL DEFAULT 0,
  minute     integer NOT NULL DEFAULT 0,
  status     text NOT NULL DEFAULT 'scheduled' CHECK (status IN ('scheduled', 'live', 'ended')),
  spectators integer
);

INSERT INTO matches (id, home, away, home_goals, away_goals, minute, status, spectators) VALUES
  (11, 'Port Rovers', 'Northgate', 2, 2, 90, 'ended', 18204),
  (12, 'Harbour City', 'Vale United', 0, 1, 67, 'live', 22950),
  (13, 'Eastbrook', 'St. Anselm', 0, 0, 12, 'live', 9120),
  (14, 'Millhaven', 'Old Town', 0, 0, 0, 'scheduled', NULL)
ON CONFLICT DO NOTHING;

DROP PUBLICATION IF EXISTS scoreboard;
CREATE PUBLICATION scoreboard FOR TABLE matches;
