#!/usr/bin/env bash
# The tests on a real ZFS, on the kernel's OpenZFS: for each version a guest (run.sh), all at once.
#   openzfs.sh [VERSION | dealt | ARGUMENT of test/run.ts]...    by default all versions; of the ring zfs all files
# `dealt`: half of the work. What ZFS itself answers (test/native) is asked of all versions, each other file runs on one of them,
# by chance; each guest says which it was dealt, so that it can be repeated: openzfs.sh VERSION FILE.
# What tests start as other users is the built program where that is newer than the sources, to which `npm run test:openzfs`
# sees: from the sources each start takes 9 s, as all is emulated.
# Ends as test/run.ts does: with the line `N passed, N failed`, or with the numbers in the file that TIDEPOOL_TOTALS names.
# A guest that dies, or tests nothing, is one failed. Where there can be no guest it is skipped: with TIDEPOOL_REQUIRE=all
# that is a failure too.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

versions=() what=() dealt=
for argument; do
  case $argument in
    2.*) versions+=("$argument") ;;
    dealt) dealt=yes ;;
    *) what+=("$argument") ;;
  esac
done
[ ${#versions[@]} != 0 ] || versions=(2.3.2 2.1.11)

work=$(mktemp -d)
set -m # each guest is a process group, to be ended as one
trap 'for job in $(jobs -p); do kill -- "-$job" 2>/dev/null; done; wait; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# deal NUMBER: the files for the version of that number. As two captains choose: one, two, two, one, so that neither has the
# second of each pair, and the pairs' sizes even out.
chance=$RANDOM
deal() {
  local file number=0
  find test/native -name '*.zfs.test.ts'
  find test -name '*.zfs.test.ts' ! -path 'test/native/*' | sort | while read -r file; do
    number=$((number + 1))
    [ $(((number / 2 + chance) % ${#versions[@]})) != "$1" ] || echo "$file"
  done
}

guest() { # NUMBER
  local version=${versions[$1]} folder code failed
  folder=$work/$version
  mkdir "$folder"
  if [ -n "$dealt" ]; then
    mapfile -t what < <(deal "$1")
    echo "$version: dealt ${what[*]}"
  fi
  # Its limits are those of a processor that is there.
  TIDEPOOL_PATIENCE=8 TIDEPOOL_TOTALS=$folder/totals \
    bash test/guest/run.sh "$version" "$folder" node_modules/.bin/tsx test/run.ts zfs "${what[@]}" 2>&1 | sed -u "s/^/$version: /"
  code=${PIPESTATUS[0]}
  failed=$(awk '{ n += $2 } END { print n + 0 }' "$folder/totals" 2>/dev/null)
  if [ "$code" = 3 ] && [ "${TIDEPOOL_REQUIRE:-}" != all ]; then
    echo '0 0 1' >"$folder/totals"
  elif [ "$code" != 0 ] && [ "${failed:-0}" = 0 ] || [ ! -s "$folder/totals" ]; then
    echo "$version: FAILED (exit code $code)"
    echo '0 1 0' >>"$folder/totals"
  fi
}

for number in "${!versions[@]}"; do guest "$number" & done
wait
cat "$work"/*/totals | awk -v into="${TIDEPOOL_TOTALS:-}" '{ p += $1; f += $2; s += $3 }
  END {
    if (into != "") printf "%d %d %d\n", p, f, s >>into
    else printf "%d passed, %d failed%s\n", p, f, (s > 0 ? ", " s " skipped" : "")
    exit f > 0
  }'
