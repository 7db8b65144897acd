#!/usr/bin/env bash
# A fleet of processes with roles draws and tells a batch of ROWS rows and a table that
# changes all the time, while ROUNDS faults befall it that a seed says: SEEDS of them,
# from SEED on. A fault lasts up to LONGEST seconds.
# PICTIFYD_TEST_POSTGRES and PICTIFYD_TEST_S3 name the servers; `make chaos` starts them.
set -euo pipefail
cd "$(dirname "$0")/.."
export PICTIFYD_CHAOS_SEED=${SEED:-1} PICTIFYD_CHAOS_SEEDS=${SEEDS:-4} PICTIFYD_CHAOS_ROUNDS=${ROUNDS:-15}
export PICTIFYD_CHAOS_ROWS=${ROWS:-20000} PICTIFYD_CHAOS_LONGEST=${LONGEST:-20}
go test ./daemon -run 'TestRoles(UnderSeededFaults|ShareTheWorkWhileTheyDie)$' -count 1 -timeout "${TIMEOUT:-4h}" -v
