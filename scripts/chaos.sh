#!/usr/bin/env bash
# Processes with roles die, freeze and come while a batch is drawn and told, by seeds
# that give the same faults each time: SEEDS of them, ROUNDS faults each.
# PICTIFYD_TEST_POSTGRES names the server; `make chaos` starts one.
set -euo pipefail
cd "$(dirname "$0")/.."
export PICTIFYD_CHAOS_SEEDS=${SEEDS:-5} PICTIFYD_CHAOS_ROUNDS=${ROUNDS:-10}
go test ./daemon -run 'TestRoles(UnderSeededFaults|ShareTheWorkWhileTheyDie)$' -count 1 -timeout "${TIMEOUT:-4h}" -v
