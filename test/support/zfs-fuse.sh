#!/bin/sh
# A ZFS for the tests: the kernel's where there is one, else zfs-fuse, one instance on a machine.
#   zfs-fuse.sh start [PID]   prints `there` or `started`; exit code 3 and the reason where it cannot be had
#   zfs-fuse.sh stop [PID]    ends the one that a `start` started, once no process that asked for it and no pool but of tests is left
# Without PID it stays until a `stop` without one.
set -eu
dir=${TIDEPOOL_TEST_ZFS_DIR:-/var/tmp/tidepool-test-zfs}
PATH=$PATH:/usr/sbin:/sbin

no() { echo "$*"; exit 3; }

# zfs-fuse answers a refused connection with an error and no list.
answers() { timeout 20 zpool list -H -o name >/dev/null 2>&1; }

ours() { # the pid of the one we started, where it still runs
  pid=$(cat "$dir/pid" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = zfs-fuse ] && echo "$pid"
}

used() {
  for user in "$dir"/users/*; do
    [ -e "$user" ] || continue
    pid=${user##*/}
    if [ "$pid" = keep ] || kill -0 "$pid" 2>/dev/null; then return 0; fi
  done
  return 1
}

start() {
  [ "$(id -u)" = 0 ] || no "a ZFS needs root"
  command -v zpool >/dev/null || no "no zpool is installed"
  mkdir -p "$dir/users"
  : >"$dir/users/$1"
  if answers; then echo there; return; fi
  command -v zfs-fuse >/dev/null || no "the ZFS kernel module is not loaded, and there is no zfs-fuse"
  [ -e /dev/fuse ] || no "there is no /dev/fuse"
  # A session of its own: a Ctrl-C in the terminal of the tests would end it, and every mount with it.
  setsid zfs-fuse --no-daemon --no-kstat-mount --enable-xattr </dev/null >"$dir/log" 2>&1 9>&- &
  echo $! >"$dir/pid"
  tries=0
  until answers; do
    tries=$((tries + 1))
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || { cat "$dir/log"; no "zfs-fuse ended at once"; }
    [ $tries -lt 100 ] || { stop "$1"; no "zfs-fuse does not answer"; }
    sleep 0.2
  done
  # Left by a run that was killed; with the instance just started, nobody uses them.
  zpool list -H -o name | grep '^tidepool-test-' | while read -r pool; do zpool destroy -f "$pool" || :; done
  echo started
}

stop() {
  rm -f "$dir/users/$1"
  used && return 0
  pid=$(ours) || { rm -rf "$dir"; return 0; }
  # Somebody has a pool in it that no test has made: it is theirs from now on, for its end would take away what they have mounted.
  if timeout 20 zpool list -H -o name 2>/dev/null | grep -qv '^tidepool-test-'; then rm -rf "$dir"; return 0; fi
  kill "$pid"
  tries=0
  while [ -n "$(ours)" ]; do
    tries=$((tries + 1))
    [ $tries -ne 100 ] || kill -9 "$pid"
    sleep 0.2
  done
  rm -rf "$dir"
}

# Two runs at once must not start two.
exec 9>"$dir.lock" && flock 9
case "${1:-}" in
  start) start "${2:-keep}" ;;
  stop) stop "${2:-keep}" ;;
  *) sed -n 's/^# \{0,1\}//p' "$0" | head -n 5 >&2; exit 2 ;;
esac
