#!/usr/bin/env bash
# Apache Kafka for tests: brokers of one KRaft cluster on free ports of the loopback,
# from the artifacts that scripts/kafka/pom.xml names.
#
#   kafka.sh get            brings the artifacts into .cache/kafka
#   kafka.sh start DIR [N]  starts N nodes (1) with their data in DIR, waits until they
#                           answer, and prints their addresses: host:port[,host:port].
#                           Of two only the first votes, so that the second may die
#   kafka.sh kill DIR NODE  ends a node at once, as a crash would; NODE counts from 1
#   kafka.sh stop DIR       ends all nodes; their data is not needed any more
#
# Where DIR has nodes already, start starts those again that do not run, on the ports
# that they had. DIR/extra.properties, if there is one, is added to the settings of each
# node: NODE is the node's number, LISTENERS those that it has, PORT0 to PORT3 are free
# ports of its own, which stand in DIR/NODE/ports.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
libs=$here/.cache/kafka
java=(java -Xmx320m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$libs/*")

get() {
  [ -e "$libs" ] && [ ! "$here/scripts/kafka/pom.xml" -nt "$libs" ] && return
  local fresh=$libs.$$
  rm -rf "$fresh"
  mvn -q -B -f "$here/scripts/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$fresh" >&2
  rm -rf "$libs"
  mv "$fresh" "$libs"
}

open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# ports prints N different ports that nobody listens on, below those that the kernel gives out.
ports() {
  local found=() port
  while [ ${#found[@]} -lt "$1" ]; do
    port=$(shuf -i 12000-32000 -n 1)
    [[ " ${found[*]-} " == *" $port "* ]] || open "$port" || found+=("$port")
  done
  echo "${found[@]}"
}

running() {
  [ -e "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$(cat "$1/pid")/status"
}

# configure writes the settings of N nodes and formats their folders.
configure() { # DIR, N
  local dir=$1 n=$2 all voters='' i factor voting=$(($2 == 2 ? 1 : $2))
  read -ra all <<<"$(ports $((6 * n)))"
  for ((i = 0; i < voting; i++)); do voters+=${voters:+,}$((i + 1))@127.0.0.1:${all[2 * i + 1]}; done
  factor=$((n < 3 ? n : 3))
  for ((i = 0; i < n; i++)); do
    local node=$dir/$((i + 1))
    mkdir -p "$node"
    echo "127.0.0.1:${all[2 * i]}" >"$node/address"
    local roles=broker listeners=PLAINTEXT://127.0.0.1:${all[2 * i]}
    if ((i < voting)); then roles=broker,controller listeners+=,CONTROLLER://127.0.0.1:${all[2 * i + 1]}; fi
    cat >"$node/server.properties" <<PROPERTIES
process.roles=$roles
node.id=$((i + 1))
controller.quorum.voters=$voters
listeners=$listeners
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$node/data
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=$factor
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=$factor
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=$factor
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.backoff.ms=500
log.cleaner.dedupe.buffer.size=4194304
PROPERTIES
    # Where there are others, a death is to be noticed soon.
    [ "$n" = 1 ] || printf 'broker.heartbeat.interval.ms=200\nbroker.session.timeout.ms=3000\n' >>"$node/server.properties"
    local own=("${all[@]:2*n+4*i:4}")
    echo "${own[@]}" >"$node/ports"
    [ ! -e "$dir/extra.properties" ] || sed -e "s|LISTENERS|$listeners|; s/NODE/$((i + 1))/g" \
      -e "s/PORT0/${own[0]}/g; s/PORT1/${own[1]}/g; s/PORT2/${own[2]}/g; s/PORT3/${own[3]}/g" "$dir/extra.properties" >>"$node/server.properties"
    "${java[@]}" kafka.tools.StorageTool format -t cGljdGlmeWQtdGVzdHMtMQ -c "$node/server.properties" >"$node/format.log" 2>&1 || { cat "$node/format.log" >&2; return 3; }
  done
}

# launch starts the nodes that do not run. It fails if one of them ends before it answers,
# as when somebody has taken its port.
launch() { # DIR
  local node
  for node in "$1"/[0-9]*/; do
    running "$node" && continue
    "${java[@]}" kafka.Kafka "$node/server.properties" </dev/null >"$node/log" 2>&1 &
    echo $! >"$node/pid"
  done
  for node in "$1"/[0-9]*/; do
    for _ in $(seq 600); do
      running "$node" || return 1
      open "$(cut -d: -f2 "$node/address")" && continue 2
      sleep 0.1
    done
    return 1
  done
}

start() { # DIR, N
  local dir=$1 n=${2:-1} try
  get
  mkdir -p "$dir"
  if [ -e "$dir/1/server.properties" ]; then
    launch "$dir"
  else
    for try in 1 2 3; do
      configure "$dir" "$n"
      launch "$dir" && break
      stop "$dir"
      [ "$try" != 3 ] || { grep -h -m 20 ERROR "$dir"/*/log || tail -n 20 "$dir"/*/log; exit 3; } >&2
      rm -rf "$dir"/[0-9]*/
    done
  fi
  cat "$dir"/[0-9]*/address | paste -sd, -
}

end() { # NODE's folder
  running "$1" || return 0
  kill -KILL "$(cat "$1/pid")" 2>/dev/null || true
  while running "$1"; do sleep 0.02; done
}

stop() { # DIR
  local node
  for node in "$1"/[0-9]*/; do end "$node"; done
}

case $1 in
  get) get ;;
  start) start "$2" "${3:-1}" ;;
  kill) end "$2/$3" ;;
  stop) stop "$2" ;;
  *) echo "kafka.sh get | start DIR [N] | kill DIR NODE | stop DIR" >&2; exit 2 ;;
esac
