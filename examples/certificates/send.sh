#!/usr/bin/env bash
# PNG and PDF of each graduate in cohort.csv, from one request, into out/.
set -euo pipefail
cd "$(dirname "$0")"
exec "${PICTIFYD:-pictifyd}" batch -t tpl_certificate -d cohort.csv -o out \
  --row-key certificate_id --format png --format pdf "$@"
