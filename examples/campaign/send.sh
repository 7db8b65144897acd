#!/usr/bin/env bash
# One picture for each customer of customers.csv, and a table for the mailer.
#   out/*.jpg         the pictures, named by e-mail address
#   out/results.csv   the columns of customers.csv, then url: what the mail merge reads
#   out/failed.csv    rows that failed and why, if any: correct them and send the file again
# Run it again and it goes on where it was; a changed file is a new batch.
set -euo pipefail
cd "$(dirname "$0")"
exec "${PICTIFYD:-pictifyd}" batch -t announcement -d customers.csv -o out \
  --row-key email --format jpeg --set quality=82 "$@"
