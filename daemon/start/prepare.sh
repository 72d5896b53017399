#!/bin/sh
# Makes a checkout ready to serve projects on this machine: the npm packages, a ZFS that answers. Says each thing that it does in
# one line, and nothing where all is there. Exit code 3 where something is missing that it can't bring.
#   prepare.sh DIRECTORY    where this checkout keeps its own things
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin
own=$1

say() { echo "setup: $*"; }
lacks() {
  demo="bin/tidepool demo --streams"
  [ -d node_modules ] || demo="npm ci && $demo"
  echo "This machine lacks what projects need: $1." >&2
  echo "To have it: $2" >&2
  echo "Without any of it, see what becomes of streams: $demo" >&2
  exit 3
}

[ "$(id -u)" = 0 ] || lacks "root" "run it as root (sudo npm start); pools and mounts are root's"

# Two starts at once would install over one another. What is started here and stays must not keep the lock.
mkdir -p -m 711 "$own"
exec 9>"$own/prepare.lock"
flock 9

if ! cmp -s package-lock.json node_modules/.tidepool-lock; then
  # It would empty what the link leads to.
  [ ! -L node_modules ] || lacks "node_modules of its own" "run npm ci where the link node_modules leads to"
  say "npm ci (node_modules is missing or older than package-lock.json)"
  npm ci --no-audit --no-fund --loglevel=error >/dev/null
  cp package-lock.json node_modules/.tidepool-lock
fi

install() { # the first of these Debian packages that can be had
  command -v apt-get >/dev/null || return 1
  for again in now after-update; do
    for package; do
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove "$package" \
        >/dev/null 2>&1 9>&- && return 0
    done
    [ $again = now ] && apt-get update -qq >/dev/null 2>&1 9>&-
  done
  return 1
}

# Without it projects are served all the same, where they are mounted.
if ! ldconfig -p | grep -q 'libfuse\.so\.2'; then
  say "apt-get install libfuse2 (what opens projects when they are touched)"
  install libfuse2 libfuse2t64 || say "it cannot be had"
fi

answers() { timeout 20 zpool list -H -o name >/dev/null 2>&1; }

# A machine with a kernel ZFS keeps it: zfs-fuse brings commands of the same names.
if command -v zpool >/dev/null && [ -e /sys/module/zfs ]; then exit 0; fi
if ! command -v zpool >/dev/null; then
  command -v apt-get >/dev/null || lacks "a ZFS" "install OpenZFS for this system"
  say "apt-get install zfs-fuse (a ZFS in user space: for trying it out; servers want the kernel's)"
  install zfs-fuse || lacks "a ZFS" "apt-get install zfs-fuse, or zfsutils-linux with its kernel module"
fi
answers && exit 0
command -v zfs-fuse >/dev/null || lacks "a ZFS that answers" "modprobe zfs, or apt-get install zfs-fuse"
[ -e /dev/fuse ] || lacks "/dev/fuse" "modprobe fuse; in a container, give it the device"

say "zfs-fuse is started; it ends with the last pool at npm stop"
# A session of its own: a Ctrl-C here would end it, and every mount with it.
setsid zfs-fuse --no-daemon --no-kstat-mount --enable-xattr </dev/null >"$own/zfs-fuse.log" 2>&1 9>&- &
echo $! >"$own/zfs-fuse.pid"
tries=0
until answers; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || lacks "a ZFS that answers" "look into $own/zfs-fuse.log"
  sleep 0.2
done
