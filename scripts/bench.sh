#!/usr/bin/env bash
# Runs the benchmarks, pictifyd and its peers in turns, and keeps the figures in
# bench/RESULTS.md. bench/README.md says what is measured.
#
# ROUNDS   repetitions of the card; the starters have one less (3)
# LENGTH   seconds of each run (8)
# ROWS     of a workload (1000)
# BATCH    rows that go through a whole daemon (10000)
# BULK     rows of the large batch (50000)
# STORIES  rows of the stories: graduates, customers, products (500 40000 10000)
# PARTS    what is measured: card starters trace batch bulk stories go (all)
# PICTURES the folder that the first pictures of each peer are kept in
set -euo pipefail
cd "$(dirname "$0")/.."
ROUNDS=${ROUNDS:-3} LENGTH=${LENGTH:-8} ROWS=${ROWS:-1000} BATCH=${BATCH:-10000} BULK=${BULK:-50000} STORIES=${STORIES:-500 40000 10000}
PARTS=${PARTS:-card starters trace batch bulk stories go}
wants() { [[ " $PARTS " == *" $1 "* ]]; }
for name in chromium-headless-shell chromium google-chrome; do
  if command -v "$name" >/dev/null; then CHROME=$(command -v "$name"); break; fi
done
export CHROME PICTIFYD_TEST_CHROME=$CHROME
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
keep=${PICTURES:-$work/pictures}
lines=$work/lines
mkdir -p "$keep"

peers=bench/peers
if [ ! -e $peers/node_modules/.package-lock.json ] || [ $peers/package-lock.json -nt $peers/node_modules/.package-lock.json ]; then
  npm ci --prefix $peers --no-audit --no-fund --loglevel=error >&2
fi
go build -o bin/bench-tutorial ./bench/tutorial
go build -o bin/bench-batch ./bench/batch
go build -o bin/bench-bulk ./bench/bulk
go build -o bin/bench-stories ./bench/stories

# measure runs one peer; what fails is a line too.
measure() { # peer, workload, format, command
  local peer=$1 workload=$2 format=$3 line reason code=0
  shift 3
  line=$("$@" 2>"$work/stderr") || code=$?
  if [ "$code" != 0 ]; then
    reason=$(sed '/^ *$/d; s/^[a-z]*: //' "$work/stderr" | tail -n 1 | tr -d '"\\' | tr -c '[:print:]\n' ' ')
    reason=${reason:-it ended with $code}
    line="{\"peer\":\"$peer\",\"workload\":\"$workload\",\"format\":\"$format\",\"error\":\"$reason\"}"
  fi
  echo "$line" >>"$lines"
  echo "$line" >&2
}

engine() { # workload, format, seconds, more flags
  local workload=$1 format=$2 seconds=$3 rows=$ROWS
  shift 3
  if [ "$format" = pdf ]; then # files of one page, as many in flight as a turn of the daemon has
    rows=$((ROWS < 500 ? ROWS : 500))
    set -- --in-flight 100 "$@"
  fi
  measure pictifyd "$workload" "$format" bin/pictifyd bench --workload "$workload" --format "$format" --rows "$rows" --duration "${seconds}s" --json "$@"
}
script() { # name, peer, workload, format, seconds
  measure "$2" "$3" "$4" node "$peers/$1.js" --dir "$work/$3" --format "$4" --seconds "$5" --keep "$keep"
}
tutorial() { # workload, format, seconds, pictures at a time
  local peer="chromedp tutorial"
  [ "$4" = 1 ] || peer="$peer, $4 at once"
  measure "$peer" "$1" "$2" bin/bench-tutorial --dir "$work/$1" --format "$2" --seconds "$3" --in-flight "$4" --keep "$keep"
}

card() { # format
  engine card "$1" "$LENGTH" --keep "$keep"
  script puppeteer puppeteer card "$1" "$LENGTH"
  [ "$1" = pdf ] && return
  script takumi takumi card "$1" "$LENGTH"
  [ "$1" = webp ] && return
  tutorial card "$1" "$LENGTH" 1
  tutorial card "$1" "$LENGTH" 4
  [ "$1" = jpeg ] || script satori "satori + resvg" card "$1" "$LENGTH"
}
starters() {
  for workload in real-estate usage-report leaderboard invoice; do
    for format in png jpeg; do
      engine "$workload" "$format" "$short" --keep "$keep"
      script puppeteer puppeteer "$workload" "$format" "$short"
      tutorial "$workload" "$format" "$short" 1
    done
  done
  engine invoice pdf "$short" --keep "$keep"
  script puppeteer puppeteer invoice pdf "$short"
}

for workload in card real-estate usage-report leaderboard invoice; do
  bin/pictifyd bench export --workload $workload --rows "$ROWS" "$work/$workload"
done
short=$(((LENGTH + 1) / 2))
for ((round = 1; round <= ROUNDS; round++)); do
  for format in jpeg png webp pdf; do ! wants card || card $format; done
  ! wants starters || { [ "$round" = 1 ] && [ "$ROUNDS" -gt 1 ]; } || starters
done
for format in jpeg png webp pdf; do ! wants trace || engine card $format "$short" --trace; done
for format in jpeg png; do
  ! wants batch || measure "pictifyd daemon" card $format bin/bench-batch --format $format --rows "$BATCH"
done

touch "$lines" "$work/bulk" "$work/stories"
! wants bulk || bin/bench-bulk --rows "$BULK" >"$work/bulk" || echo "bench-bulk ended early" >&2
read -r graduates customers products <<<"$STORIES"
! wants stories || bin/bench-stories --certificates "$graduates" --campaign "$customers" --catalog "$products" >"$work/stories" || echo "bench-stories ended early" >&2

# gobench prints one of Go's benchmarks.
gobench() { # title, package, pattern, benchtime
  wants go || return 0
  echo "## $1"
  echo
  echo '```text'
  go test -run '^$' -bench "$3" -benchtime "$4" -timeout 30m "$2" | grep -E '^(Benchmark|  )' || true
  echo '```'
  echo
}
about() {
  echo "# Figures"
  echo
  echo "Printed by \`make bench\`; [README.md](README.md) says what is measured, and how."
  echo
  echo "Machine: $(nproc) cores, $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ {printf "%.0f GB", $2 / 1048576}' /proc/meminfo)," \
    "$(. /etc/os-release && echo "$PRETTY_NAME"), $("$CHROME" --version 2>/dev/null | tail -n 1 | sed 's/ *$//'), $(go version | cut -d' ' -f3), node $(node --version)." \
    "Runs take $LENGTH s ($short s for the starters), peers in turns, $ROUNDS rounds. Compare within one report: the same machine is a tenth or two faster on another day."
  echo
}
{
  about
  bench_report=$(go run ./bench/report <"$lines")
  echo "$bench_report"
  echo
  if wants bulk; then
    echo "## The bulk API"
    echo
    cat "$work/bulk"
    echo
  fi
  if wants stories; then
    echo "## The stories"
    echo
    echo "From the sending of the table until all files are in the folder; of the catalog from the daemon's start until every product has its URL."
    echo
    cat "$work/stories"
    echo
  fi
  gobench "A change in the file to new bytes under /b/…, at rest" ./daemon '^BenchmarkChangeToBytes$' 100x
  gobench "A reading of 10,000 rows of which 10 changed" ./daemon '^BenchmarkReading$' 20x
  gobench "A reading of 1,000,000 rows of which 1,000 changed, from a CSV and from pages of an API" ./daemon '^BenchmarkMillion$' 1x
  gobench "200 sources polled every 10 s while nothing changes" ./daemon '^BenchmarkIdlePolls$' 1x
  gobench "Calls of a webhook source, each a row" ./daemon '^BenchmarkHooks$' 4000x
  gobench "An image asked for on demand" ./daemon '^BenchmarkLive$' 300x
  gobench "Resolving and printing a row of the product card, beside html/template" ./template '^BenchmarkRow$' 1s
  gobench "Checking 50,000 rows of the product card on all cores, beside decoding them with encoding/json on one" ./template '^BenchmarkCheck50000Rows$' 3x
} >"$work/RESULTS.md"
mv "$work/RESULTS.md" bench/RESULTS.md
cat bench/RESULTS.md
