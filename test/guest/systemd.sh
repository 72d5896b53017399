#!/usr/bin/env bash
# The package as a service, in a guest of which systemd is the first process and that has the kernel's OpenZFS.
# Ends as test/run.ts does: with the line `N passed, N failed`, or with the numbers in the file that TIDEPOOL_TOTALS names.
# Where there can be no guest it is skipped: with TIDEPOOL_REQUIRE=all that is a failure too.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=$work/folder tidepool=$work/app/bin/tidepool passed=0 failed=0 skipped=0
mkdir "$folder"

prepare() { # a guest has no network; and there each start of the command takes seconds
  npm pack --silent --pack-destination "$work" >/dev/null &&
    npm install --global --silent --prefix "$work/app" "$work"/tidepool-*.tgz &&
    cp -a "$work/app" "$work/newer" &&
    (cd "$work/newer/lib/node_modules/tidepool" && npm version --no-git-tag-version --silent minor >/dev/null) &&
    "$tidepool" --store "dir:$work/store" store init >/dev/null
}

check() { # WHAT COMMAND...
  if "${@:2}" >"$work/out" 2>&1; then
    passed=$((passed + 1)) && echo "ok    $1"
  else
    failed=$((failed + 1)) && echo "FAIL  $1" && tail -n 20 "$work/out" "$folder/after"
  fi
}
after() { grep -qx "$1" "$folder/after"; }
stored() { # WORD: whether the stream that the project ends with has it
  local head
  head=$("$tidepool" --json --store "dir:$folder/store" stream ls p1 | grep '"isHead":true' | sed 's/.*"writeId":"\([^"]*\)".*/\1/') &&
    "$tidepool" --store "dir:$folder/store" stream get "p1/$head" "$work/stream" && grep -aq "$1" "$work/stream"
}

if prepare; then
  # Where the processor is emulated, the command starts twice as fast without a compiler; what systemd starts has its own.
  NODE_OPTIONS=--jitless TIDEPOOL_GUEST_BOOT=systemd TIDEPOOL_GUEST_CPUS=2 TIDEPOOL_GUEST_LIMIT=${TIDEPOOL_GUEST_LIMIT:-1100} \
    bash test/guest/run.sh 2.3.2 "$folder" bash test/guest/systemd-job "$folder" "$work/app" "$work/newer" "$work/store"
  code=$?
else
  code=1
fi
if [ -s "$folder/totals" ]; then
  read -r passed failed skipped <"$folder/totals"
  check 'the guest has got to its end' test "$code" != 124 -a "$code" != 125
  check 'at the shutdown the daemon ended well' after 'result success'
  check 'and all was saved before' after 'put away success'
  check 'which is said' after 'saved 1 project'
  check 'before what it was ordered behind' after 'state inactive'
  check 'what the service wrote that ended is there' after 'file one two last goodbye'
  check 'and in the store' stored goodbye
  check 'where all is whole' "$tidepool" --store "dir:$folder/store" stream verify --all
elif [ $code = 3 ] && [ "${TIDEPOOL_REQUIRE:-}" != all ]; then
  skipped=1
else
  echo "systemd: FAILED (exit code $code)"
  failed=1
fi
if [ -n "${TIDEPOOL_TOTALS:-}" ]; then echo "$passed $failed $skipped" >>"$TIDEPOOL_TOTALS"
else echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"; fi
[ $failed = 0 ]
