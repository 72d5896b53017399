#!/bin/sh
# Runs real Cassandra nodes, for the tests and for people, as plain java processes from Maven's jars: no package, no container.
usage() {
  cat <<'E'
usage: cassandra.sh COMMAND
  fetch                  get the jars (once; needs Maven and a JDK)
  start [OPTIONS]        start one node on 127.0.0.1:9042, or three on 127.0.0.1-3; says nothing new when they run
    --nodes 1|3          how many (1)
    --heap SIZE          of each node (1g for one, 512m for three)
    --dc NAME | I=NAME   data centre of all, or of node I (dc1)
    --yaml 'KEY: VALUE'  a line of cassandra.yaml, again and again
    --fresh              without the data of earlier starts
    --with-pid PID       end them when that process ends, however it ends
    --limit SECONDS      how long to wait until they answer (180)
  stop [I...]            end all nodes, or those
  kill I...              end them as a power cut would
  pause I... | resume I...
  status                 what runs (exit 1: nothing)
  logs [I]               follow a node's log
  tool I ARGS...         nodetool
  java                   which java the nodes run on
  clean                  stop, and remove the nodes' data (the jars stay)
exit 3: it cannot run here (no JDK, no Maven)
E
}
set -eu

VERSION=5.0.9
HERE=$(cd "$(dirname "$0")" && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/tidepool
LIB=$CACHE/cassandra-$VERSION
RUN=$CACHE/cassandra-run
SELF=$HERE/$(basename "$0")

say() { echo "cassandra: $*"; }
fail() { echo "cassandra: $*" >&2; exit 1; }
cannot() { echo "cassandra: $*" >&2; exit 3; }

# 5.0 is made for 11 and 17. It installs a security manager, which 18 to 23 allow on request (tried with 21: it starts,
# and takes DDL, transactions and reads) and 24 has no more.
java_release() { "$1" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p'; }
find_java() {
  for release in 17 21 11; do
    for java in ${JAVA_HOME:+"$JAVA_HOME/bin/java"} /usr/lib/jvm/*/bin/java "$(command -v java || :)"; do
      if [ -x "$java" ] && [ "$(java_release "$java")" = "$release" ]; then
        JAVA=$java RELEASE=$release
        return
      fi
    done
  done
  cannot "no JDK of release 17, 21 or 11 was found under /usr/lib/jvm, in JAVA_HOME or on the PATH; apt-get install openjdk-17-jdk-headless"
}

# One at a time: the lock is let go when this shell ends; nodes are started without it (9>&-).
lock() {
  mkdir -p "$CACHE"
  exec 9>"$CACHE/cassandra.lock"
  flock -w 900 9 || fail "another one has held $CACHE/cassandra.lock for 15 minutes; end it, or try again later"
}

fetch() {
  [ -e "$LIB/.complete" ] && return
  command -v mvn >/dev/null || cannot "Maven was not found; apt-get install maven"
  say "fetching Cassandra $VERSION with Maven into $LIB"
  part=$LIB.partial
  rm -rf "$part" "$LIB"
  mkdir -p "$part"
  cat >"$part/pom.xml" <<E
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>cassandra-node</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency>
<groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>$VERSION</version>
</dependency></dependencies></project>
E
  copy=org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies
  for try in 1 2 3; do
    JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$JAVA")")") timeout 600 mvn -B -q -f "$part/pom.xml" "$copy" \
      -DoutputDirectory="$part" -DincludeScope=runtime >"$part/mvn.log" 2>&1 9>&- && break
    [ $try = 3 ] && { tail -n 15 "$part/mvn.log" >&2; fail "Maven could not fetch cassandra-all $VERSION (three tries)"; }
    sleep 2
  done
  # reload4j comes too, and two bridges to one logger are refused; natives of other systems only take room.
  rm -f "$part"/log4j-over-slf4j-* "$part"/*-osx-* "$part"/*-windows-* "$part"/*-aarch_64.jar "$part"/*-riscv64.jar
  case $(uname -m) in x86_64) ;; *) fail "only x86_64 was tried";; esac
  : >"$part/.complete"
  mv "$part" "$LIB"
  say "$(find "$LIB" -name '*.jar' | wc -l) jars, $(du -sh "$LIB" | cut -f1)"
}

nodes() { ls "$RUN" 2>/dev/null | grep -x '[1-9]' || :; }
# A process id may have been given to another program since; the command line tells.
alive() {
  [ -s "$RUN/$1/pid" ] && grep -qF "storagedir=$RUN/$1" "/proc/$(cat "$RUN/$1/pid")/cmdline" 2>/dev/null
}
running() { for i in $(nodes); do if alive "$i"; then echo "$i"; fi; done; }
listens() {
  node -e "require('net').connect(9042, '127.0.0.$1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"
}

configure() { # of node $1; --yaml lines come last and win
  dir=$RUN/$1 conf=$RUN/$1/conf
  mkdir -p "$conf" "$dir/logs"
  token=$(node -p "String(-(2n ** 63n) + BigInt($1 - 1) * (2n ** 64n / ${count}n))")
  printf 'dc=%s\nrack=rack1\n' "$(sed -n "s/^$1=//p" "$RUN/dcs" | tail -n 1 | grep . || echo "$dc")" >"$conf/cassandra-rackdc.properties"
  cat >"$conf/logback.xml" <<E
<configuration><statusListener class="ch.qos.logback.core.status.NopStatusListener"/>
<appender name="F" class="ch.qos.logback.core.FileAppender"><file>$dir/logs/system.log</file>
<encoder><pattern>%-5level [%thread] %date{ISO8601} %F:%L - %msg%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="F"/></root></configuration>
E
  # The in-flight limits: by default a fortieth of the heap for one client address, which at these heaps is less
  # than one window of uploads, and shows as latency of seconds instead of an error.
  cat >"$conf/base.yaml" <<E
cluster_name: tidepool-test
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: GossipingPropertyFileSnitch
num_tokens: 1
initial_token: $token
auto_bootstrap: false
listen_address: 127.0.0.$1
rpc_address: 127.0.0.$1
seed_provider: [{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{seeds: "127.0.0.1"}]}]
commitlog_sync: periodic
commitlog_sync_period: 10s
auto_snapshot: false
native_transport_max_request_data_in_flight_per_ip: 64MiB
native_transport_max_request_data_in_flight: 128MiB
E
  awk -F: 'FILENAME == ARGV[1] { given[$1] = 1; next } !($1 in given)' "$RUN/yaml" "$conf/base.yaml" >"$conf/cassandra.yaml"
  cat "$RUN/yaml" >>"$conf/cassandra.yaml"
}

OPENS="--add-opens java.base/sun.nio.ch=ALL-UNNAMED --add-opens java.base/java.io=ALL-UNNAMED
  --add-exports java.base/jdk.internal.ref=ALL-UNNAMED --add-exports java.rmi/sun.rmi.registry=ALL-UNNAMED"

launch() { # node $1, in a session of its own: a Ctrl-C in the terminal is for the tests, not for the node
  dir=$RUN/$1
  manager=
  [ "$RELEASE" -gt 17 ] && manager=-Djava.security.manager=allow
  # shellcheck disable=SC2086
  setsid "$JAVA" $OPENS $manager -Xms"$heap" -Xmx"$heap" -Xss256k -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError \
    -XX:+PerfDisableSharedMem -javaagent:"$(echo "$LIB"/jamm-*.jar)" -Djdk.attach.allowAttachSelf=true \
    -Dio.netty.tryReflectionSetAccessible=true -Dlogback.configurationFile="$dir/conf/logback.xml" \
    -Dcassandra.config=file://"$dir/conf/cassandra.yaml" -Dcassandra.storagedir="$dir" -Dcassandra.logdir="$dir/logs" \
    -Dcassandra-foreground=yes -Dcassandra.jmx.local.port=$((7198 + $1)) -Dcassandra.ring_delay_ms=1000 \
    -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.superuser_setup_delay_ms=0 \
    -cp "$dir/conf:$LIB/*" org.apache.cassandra.service.CassandraDaemon >"$dir/logs/out.log" 2>&1 </dev/null 9>&- &
  echo $! >"$dir/pid"
}

tail_of_log() { tail -n 8 "$RUN/$1/logs/out.log" "$RUN/$1/logs/system.log" 2>&1 | cut -c1-300 >&2; }

start() {
  count=1 heap= dc=dc1 fresh= with= limit=180
  mkdir -p "$RUN"
  options=$RUN/options.$$
  : >"$options.yaml"
  : >"$options.dcs"
  while [ $# -gt 0 ]; do
    case $1 in
      --fresh) fresh=1; shift; continue;;
      --nodes | --heap | --dc | --yaml | --with-pid | --limit) [ $# -gt 1 ] || fail "$1 needs a value";;
      *) rm -f "$options".*; usage >&2; exit 2;;
    esac
    case $1 in
      --nodes) count=$2;;
      --heap) heap=$2;;
      --dc) case $2 in *=*) echo "$2" >>"$options.dcs";; *) dc=$2;; esac;;
      --yaml) printf '%s\n' "$2" >>"$options.yaml";;
      --with-pid) with=$2;;
      --limit) limit=$2;;
    esac
    shift 2
  done
  [ -n "$heap" ] || { heap=1g; [ "$count" = 1 ] || heap=512m; }
  find_java
  lock
  fetch
  live=$(running)
  # Data of a ring of another size has other tokens.
  if [ -z "$live" ] && { [ -n "$fresh" ] || [ "$(cat "$RUN/count" 2>/dev/null)" != "$count" ]; }; then
    for i in $(nodes); do rm -rf "${RUN:?}/$i"; done
  fi
  [ -z "$live" ] || [ "$(cat "$RUN/count")" = "$count" ] || fail "$(cat "$RUN/count") node(s) run already; stop them first"
  echo "$count" >"$RUN/count"
  mv "$options.yaml" "$RUN/yaml"
  mv "$options.dcs" "$RUN/dcs"
  i=0 began=$(date +%s) new=
  while [ $i -lt "$count" ]; do
    i=$((i + 1))
    alive $i && continue
    if listens $i; then fail "something else listens on 127.0.0.$i:9042"; fi
    new="$new $i"
    configure $i
    launch $i
    [ -z "$with" ] || watch $i "$with"
    # One after another: a node that joins has to find the seed, and three at once fight for the same cores.
    node "$HERE/cassandra-ready.mjs" "$limit" "$count" $i "$(cat "$RUN/$i/pid")" 9>&- ||
      { tail_of_log $i; end TERM $i; fail "node $i did not come up"; }
  done
  if [ -z "$new" ]; then say "runs already"; else say "node(s)$new up in $(($(date +%s) - began)) s"; fi
}

watch() { # stops node $1 when process $2 ends; ends by itself when the node does
  # shellcheck disable=SC2016
  setsid sh -c 'while kill -0 "$2" 2>/dev/null; do kill -0 "$3" 2>/dev/null || exit; sleep 1; done; exec sh "$0" stop "$1"' \
    "$SELF" "$1" "$2" "$(cat "$RUN/$1/pid")" >/dev/null 2>&1 </dev/null 9>&- &
  echo $! >"$RUN/$1/watcher"
}

unwatch() { # unless it is the watcher that stops the node; its group, for its sleep
  watcher=$(cat "$RUN/$1/watcher" 2>/dev/null || echo $$)
  rm -f "$RUN/$1/watcher"
  [ "$watcher" = $$ ] || ! grep -qF "$SELF" "/proc/$watcher/cmdline" 2>/dev/null || kill -TERM "-$watcher" 2>/dev/null || :
}

end() { # with signal $1 the nodes $2...; harder when one is not gone after 20 s
  signal=$1
  shift
  for i; do if alive "$i"; then kill -"$signal" "$(cat "$RUN/$i/pid")" 2>/dev/null || :; fi; done
  for i; do
    tries=200
    while alive "$i"; do
      tries=$((tries - 1))
      [ $tries = 0 ] && { say "node $i does not end; killed"; kill -KILL "$(cat "$RUN/$i/pid")" || :; }
      sleep 0.1
    done
    rm -f "$RUN/$i/pid"
    unwatch "$i"
  done
}

signal() { # $1 to the nodes $2...
  name=$1
  shift
  for i; do alive "$i" || fail "node $i does not run"; kill -"$name" "$(cat "$RUN/$i/pid")"; done
}

status() {
  live=$(running)
  [ -n "$live" ] || { say "no node of ours runs"; return 1; }
  for i in $live; do
    pid=$(cat "$RUN/$i/pid")
    say "127.0.0.$i:9042 pid $pid, $(awk '/VmRSS/ { print int($2 / 1024) }' "/proc/$pid/status") MiB"
  done
}

tool() {
  [ -d "$RUN/$1" ] || fail "there is no node $1"
  node=$1
  shift
  find_java
  quiet=$RUN/$node/conf/logback-tool.xml
  echo '<configuration><root level="OFF"/></configuration>' >"$quiet"
  # shellcheck disable=SC2086
  "$JAVA" $OPENS -Xmx128m -Dlogback.configurationFile="$quiet" -Dcassandra.storagedir="$RUN/$node" -cp "$LIB/*" \
    org.apache.cassandra.tools.NodeTool -p $((7198 + node)) "$@"
}

command=${1:-}
[ $# = 0 ] || shift
case $command in
  fetch) find_java; lock; fetch;;
  java) find_java; echo "$JAVA";;
  start) start "$@";;
  stop) [ $# -gt 0 ] || set -- $(nodes); end TERM "$@";;
  kill) end KILL "$@";;
  pause) signal STOP "$@";;
  resume) signal CONT "$@";;
  status) status;;
  logs) exec tail -n 50 -F "$RUN/${1:-1}/logs/system.log";;
  tool) [ $# -gt 1 ] || { usage >&2; exit 2; }; tool "$@";;
  clean) end TERM $(nodes); rm -rf "$RUN";;
  *) usage >&2; exit 2;;
esac
