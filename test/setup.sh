#!/bin/sh
# Installs what the tests need and is not there yet; says each thing it does in one line, and nothing when all is there.
# `setup.sh modules` does only what needs no root: the npm packages. `setup.sh openzfs` is for the tests in a guest: besides
# those QEMU and a compiler, where such a guest can be made.
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }

if [ "${1:-}" = "" ] && [ "$(id -u)" != 0 ]; then
  echo "setup: npm test needs root, to install Debian packages and to start what it tests against; without root: npm run test:unit" >&2
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
  if DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 </dev/null; then return 0; fi
  grep -v '^npm warn' "$log" | head -n 15 >&2
  return 1
}

# The stamp is a copy of the lock file that was installed: `npm ci` takes it away with the folder, and an interrupted one
# leaves none.
if ! cmp -s package-lock.json node_modules/.tidepool-lock; then
  say "npm ci (node_modules is missing or older than package-lock.json)"
  quietly npm ci --no-audit --no-fund || exit 1
  cp package-lock.json node_modules/.tidepool-lock
fi
[ "${1:-}" != modules ] || exit 0

installed() { dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; }
known() { [ -n "$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p' | grep -v '(none)')" ]; }

updated=
update() {
  [ -z "$updated" ] || return 0
  updated=1
  say "apt-get update"
  quietly apt-get update
}

# Installs the first of these packages that this Debian has; another process may hold dpkg's lock for a while.
install_one_of() {
  for package; do
    if installed "$package"; then return 0; fi
  done
  for attempt in now after-update; do
    for package; do
      known "$package" || continue
      say "apt-get install $package"
      options="-y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300"
      # shellcheck disable=SC2086
      if quietly apt-get install $options "$package"; then return 0; fi
      # Lists older than the mirror name versions that are gone.
      if [ -z "$updated" ]; then
        update || :
        # shellcheck disable=SC2086
        if quietly apt-get install $options "$package"; then return 0; fi
      fi
    done
    [ -z "$updated" ] && [ "$attempt" = now ] || break
    update || break
  done
  return 1
}

missing=
need() { # what for, then packages of which one is enough
  what=$1
  shift
  install_one_of "$@" || { say "cannot install $1: $what"; missing=1; }
}

if [ "${1:-}" = openzfs ]; then
  if [ "$(id -u)" != 0 ] || ! grep -q '^VERSION_CODENAME=bookworm' /etc/os-release; then exit 0; fi
  for package in qemu-system-x86 gcc-12 libc6-dev libelf1 make perl file; do
    need "no guest with OpenZFS can be made" $package
  done
  exit 0
fi

command -v apt-get >/dev/null || { say "this is no Debian: what the tests need is not installed (see CONTRIBUTING.md)"; exit 0; }

if ! sh test/support/cassandra.sh java >/dev/null 2>&1; then
  need "no Cassandra node can be started here" openjdk-17-jre-headless openjdk-21-jre-headless
fi
command -v mvn >/dev/null || need "the Cassandra jars cannot be fetched" maven

# Trees are compared with their extended attributes and access lists.
command -v getfattr >/dev/null || need "trees are not compared on a real ZFS" attr
command -v setfacl >/dev/null || need "trees are not compared on a real ZFS" acl

# The library of the FUSE addon, which does not bring it, and what unmounts by hand what a killed test left.
need "the root of links is not tried" libfuse2 libfuse2t64
command -v fusermount >/dev/null || need "the root of links is not tried" fuse3 fuse

# Only its programs: in a container it is not the first process, and need not be.
command -v systemd-notify >/dev/null || need "the units are not checked" systemd
# The status page is looked at in a real browser.
need "the status page is not tried" chromium

# zfs-fuse brings commands of the same names as OpenZFS: it is not for a machine that has those.
if ! command -v zpool >/dev/null && ! [ -x /usr/sbin/zpool ] && ! [ -x /sbin/zpool ] && ! installed zfsutils-linux; then
  install_one_of zfs-fuse || say "cannot install zfs-fuse: the tests on a real ZFS are skipped"
fi

[ -n "$missing" ] || sh test/support/cassandra.sh fetch
