#!/usr/bin/env bash
# Runs a command on a machine of its own that has the kernel's OpenZFS: a guest in QEMU that sees this machine's files.
#   run.sh VERSION FOLDER COMMAND [ARG...]
# VERSION: 2.1.11 or 2.3.2, built first where it is not there (build.sh). The guest writes into its memory, and what it wrote
# is gone with it, all but what is in FOLDER, which is at the same path there. The command runs as root in the working
# directory, with the variables TIDEPOOL_*, NODE_*, CI and PATH; its output comes as it is printed, its input is empty.
# Needs Debian 12 on amd64, root and QEMU; where there is no KVM the processor is emulated, and about ten times as slow.
# TIDEPOOL_GUEST_BOOT=systemd: systemd is the guest's first process, and the command a service of it.
# TIDEPOOL_GUEST_CPUS: how many processors it has (1).
# TIDEPOOL_GUEST_LIMIT: how many seconds it may take (2700).
# Exit code: the command's; 3: it cannot run on this machine; 124: no end within the limit; 125: the guest has failed.
set -euo pipefail

version=${1:?which version?} folder=$(realpath "${2:?which folder?}")
shift 2
here=$(cd "$(dirname "$0")" && pwd)
command -v qemu-system-x86_64 >/dev/null || { echo "guest: no QEMU is installed (sh test/setup.sh openzfs)"; exit 3; }
made=$(bash "$here/build.sh" "$version")

rm -f "$folder/guest.exit"
{
  printf 'cd %q || exit 126\n' "$PWD"
  echo 'unset share first openzfs'
  for name in $(compgen -e | grep -E '^(TIDEPOOL_.*|NODE_.*|CI|PATH)$'); do printf 'export %s=%q\n' "$name" "${!name}"; done
  echo 'PATH=$PATH:/usr/sbin:/sbin'
  printf 'exec'
  printf ' %q' "$@"
  echo
} >"$folder/guest.job"

# The kernel takes one archive after another; what is not emulated makes this one.
mkdir -p "$folder/guest.root" && cp "$here/init" "$folder/guest.root/init"
(cd "$folder/guest.root" && echo init | "$made/busybox" cpio -o -H newc 2>/dev/null | cat "$made/initramfs" - >../guest.initramfs)

files() { echo "-virtfs local,path=$2,mount_tag=$1,security_model=none,multidevs=remap"; }
# A /dev/kvm on a processor without either flag emulates in software, and slower than QEMU does.
# A kernel and a libc clear and copy with `rep stosb` and `rep movsb` where the processor calls these fast (erms, fsrm): what
# is emulated does them byte by byte. Without, and without a kernel that clears all that it allocates (init_on_alloc), a
# test that fills quotas takes 95 s instead of 138.
accelerator=tcg,thread=multi processor=max,-erms,-fsrm
[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && accelerator=kvm processor=max
limit=${TIDEPOOL_GUEST_LIMIT:-2700} code=0
# An emulated timer that comes late, on a busy machine, is no broken one: without no_timer_check that is a panic.
# What QEMU 7.2 has translated it finds again by its address alone: where each process lies elsewhere, each is translated
# anew. With norandmaps `zfs list` takes 65 to 86 ms instead of 170 to 214. Files copied into the
# guest's memory and a processor without five levels of pages gave nothing, and Node itself gains little.
# shellcheck disable=SC2046
timeout --foreground --kill-after=10 "$limit" qemu-system-x86_64 \
  -accel "$accelerator" -cpu "$processor" -machine q35 -smp "${TIDEPOOL_GUEST_CPUS:-1}" -m 4G \
  -nodefaults -no-user-config -no-reboot -display none -serial "file:$folder/guest.console" \
  $(files root /),readonly=on $(files share "$folder") -device virtio-rng-pci \
  -device virtio-serial -chardev file,id=out,path=/dev/stdout,append=on -device virtserialport,chardev=out,name=out \
  -kernel "$made/kernel" -initrd "$folder/guest.initramfs" \
  -append "console=ttyS0 quiet panic=-1 norandmaps init_on_alloc=0 no_timer_check mitigations=off share=$folder first=$here/first openzfs=$version boot=${TIDEPOOL_GUEST_BOOT:-}" \
  </dev/null 2>"$folder/guest.qemu" | cat || code=$?
[ ! -s "$folder/guest.exit" ] || exit "$(cat "$folder/guest.exit")"
[ $code != 124 ] || { echo "guest: no end within $limit s"; exit 124; }
echo "guest: it gave no result (QEMU's exit code $code); the end of what it said:"
tail -n 20 "$folder/guest.qemu" "$folder/guest.console"
exit 125
