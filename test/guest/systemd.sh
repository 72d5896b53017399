#!/usr/bin/env bash
# The package as a service, in a guest of which systemd is the first process and that has the kernel's OpenZFS.
# Ends as test/run.ts does: with the line `N passed, N failed`, or with the numbers in the file that TIDEPOOL_TOTALS names.
# Where there can be no guest it is skipped: with TIDEPOOL_REQUIRE=all that is a failure too.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=$work/folder passed=0 failed=0 skipped=0
mkdir "$folder"

prepare() { # a guest has no network: both versions are installed here
  npm pack --silent --pack-destination "$work" >/dev/null &&
    npm install --global --silent --prefix "$work/app" "$work"/tidepool-*.tgz &&
    cp -a "$work/app" "$work/newer" &&
    (cd "$work/newer/lib/node_modules/tidepool" && npm version --no-git-tag-version --silent minor >/dev/null)
}

check() { # WHAT COMMAND...
  if "${@:2}"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAIL  $1" && cat "$folder/after"; fi
}

if prepare; then
  TIDEPOOL_GUEST_BOOT=systemd TIDEPOOL_GUEST_CPUS=2 TIDEPOOL_GUEST_LIMIT=${TIDEPOOL_GUEST_LIMIT:-900} \
    bash test/guest/run.sh 2.3.2 "$folder" bash test/guest/systemd-job "$folder" "$work/app" "$work/newer"
  code=$?
else
  code=1
fi
if [ -s "$folder/totals" ]; then
  read -r passed failed skipped <"$folder/totals"
  check 'at the shutdown the daemon ended well' grep -qx 'result success' "$folder/after"
  check 'and what was open was saved before' grep -qx 'put away success' "$folder/after"
  check 'before what it was ordered behind' grep -qx 'state inactive' "$folder/after"
  check 'and left what was written' grep -qx 'file one last' "$folder/after"
elif [ $code = 3 ] && [ "${TIDEPOOL_REQUIRE:-}" != all ]; then
  skipped=1
else
  echo "systemd: FAILED (exit code $code)"
  failed=1
fi
if [ -n "${TIDEPOOL_TOTALS:-}" ]; then echo "$passed $failed $skipped" >>"$TIDEPOOL_TOTALS"
else echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"; fi
[ $failed = 0 ]
