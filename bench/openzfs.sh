#!/usr/bin/env bash
# The bench of projects on the kernel's OpenZFS: for each version a guest (test/guest/run.sh), one after the other.
#   openzfs.sh [VERSION | ARGUMENT of bench/run.ts]...    by default all versions
# Its disk is memory, and where there is no KVM its processor is emulated: only the ratios inside a run say anything. So the
# projects are small and the pairs few. Keeps the figures in bench/results/projects-openzfs-VERSION.json.
set -euo pipefail
cd "$(dirname "$0")/.."

versions=() arguments=()
for argument; do
  case $argument in
    2.*) versions+=("$argument") ;;
    *) arguments+=("$argument") ;;
  esac
done
[ ${#versions[@]} != 0 ] || versions=(2.3.2 2.1.11)

# Started from the sources, a command takes the guest half a minute.
npm run --silent build

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in "${versions[@]}"; do
  folder=$work/$version
  mkdir "$folder"
  echo "OpenZFS $version"
  # Two processors, as a pipe's two ends have on the machines that it is compared with. Without V8's first compiler of
  # WebAssembly: with two emulated processors Node's loader died in what it had made, in 4 of 9 starts (SIGSEGV; in none of 6
  # without).
  TIDEPOOL_GUEST_CPUS=2 TIDEPOOL_GUEST_LIMIT=${TIDEPOOL_GUEST_LIMIT:-1800} bash test/guest/run.sh "$version" "$folder" \
    node --no-liftoff --import tsx bench/run.ts projects --pairs 5 --project-bytes $((32 << 20)) --scratch /var/tmp \
    --results "$folder/results" "${arguments[@]}"
  mv "$folder/results/projects.json" "bench/results/projects-openzfs-$version.json"
done
