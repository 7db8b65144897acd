-- The user of pictifyd: it reads one table and the server's log, and can write nothing.
CREATE ROLE scoreboard LOGIN REPLICATION PASSWORD 'change-me';
GRANT SELECT ON matches TO scoreboard;
