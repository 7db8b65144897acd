-- Five minutes of a match: a goal, a column that no card shows, and kick-off elsewhere.
UPDATE matches SET home_goals = 1, minute = 71 WHERE id = 12;
UPDATE matches SET spectators = 23001 WHERE id = 12;
UPDATE matches SET status = 'live', minute = 1 WHERE id = 14;
