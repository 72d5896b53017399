#!/usr/bin/env bash
# Makes what a guest starts from: Debian's kernel, OpenZFS's modules for it and their commands.
#   build.sh VERSION    prints the folder with `kernel`, `initramfs` (all but its init) and `busybox`; takes minutes at first
# VERSION: 2.1.11 or 2.3.2, those that Debian 12 has (the latter in its backports). The packages with ZFS are unpacked and
# never installed; the machine's own lists of packages stay as they are. Exit code 3: it cannot be done on this machine.
set -euo pipefail

say() { echo "guest: $*" >&2; }
fail() { say "$*"; tail -n 15 log >&2 2>/dev/null || :; exit 1; }
cannot() { say "$*"; exit 3; }

version=${1:?which version?}
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tidepool
# Another way to build it is another folder.
made=$cache/openzfs-$version-$(sha256sum <"$here/build.sh" | cut -c1-8)

archive() { # a view of the archive of our own, with the parts that hold OpenZFS
  local uri signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
  uri=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    sed -n 's/^bookworm main //p' | head -n 1)
  [ -n "$uri" ] || cannot "apt knows no archive of Debian 12 (apt-get update)"
  mkdir -p apt/lists/partial apt/archives/partial
  printf "deb $signed $uri %s\n" 'bookworm main contrib' 'bookworm-backports contrib' >apt/sources
  apt=(-qq -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Dir::Etc::sourcelist="$PWD/apt/sources"
    -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt")
  apt-get "${apt[@]}" update >log 2>&1 || fail "the archive cannot be read"
}

depends() { apt-cache "${apt[@]}" show "$1" | sed -n 's/^Depends: //p' | head -n 1; }

unpack() { # FOLDER PACKAGE...
  local folder=$1 file
  shift
  rm -rf debs && mkdir -p debs "$folder"
  (cd debs && apt-get "${apt[@]}" download "$@") >log 2>&1 || fail "cannot download $*"
  for file in debs/*.deb; do dpkg-deb -x "$file" "$folder"; done
}

fetch() {
  local libraries
  release=$(depends linux-image-amd64 | grep -o '6\.1\.[0-9a-z.-]*-amd64' | head -n 1) || fail "which kernel is Debian's?"
  package=$(apt-cache "${apt[@]}" madison zfs-dkms | awk -v v="$version-" 'index($3, v) == 1 && !n++ { print $3 }')
  [ -n "$package" ] || fail "the archive has no OpenZFS $version"
  say "unpacking Linux $release and OpenZFS $package"
  unpack kernel "linux-image-$release"
  unpack headers "linux-headers-$release" "linux-headers-${release%-amd64}-common" linux-kbuild-6.1
  unpack source "zfs-dkms=$package"
  # Their own libraries too; whatever else they need the guest sees on this machine.
  mapfile -t libraries < <(depends "zfsutils-linux=$package" | grep -oE 'lib(nvpair|uutil|zfs|zpool)[0-9]+linux' | sort -u)
  unpack commands "zfsutils-linux=$package" libtirpc3 "${libraries[@]/%/=$package}"
  unpack tools busybox-static kmod libkmod2
  for name in depmod modprobe; do ln -sf kmod "tools/bin/$name"; done # the package's own links are absolute
}

compile() {
  local headers=$PWD/headers/usr/src/linux-headers-$release modules=kernel/lib/modules/$release/extra
  sed -i "s#^include /usr/src#include $PWD/headers/usr/src#" "$headers/Makefile"
  say "compiling its modules, which takes minutes"
  (cd "source/usr/src/zfs-$version" &&
    ./configure --prefix=/usr --with-config=kernel --with-linux="${headers%-amd64}-common" --with-linux-obj="$headers" &&
    make -j"$(nproc)") >log 2>&1 || fail "they do not compile"
  mkdir -p "$modules"
  find "source/usr/src/zfs-$version/module" -name '*.ko' |
    while read -r file; do strip -g -o "$modules/${file##*/}" "$file"; done
}

kmod() { LD_LIBRARY_PATH=$PWD/tools/lib/x86_64-linux-gnu "tools/bin/$1" "${@:2}"; }

# Not compressed: what is emulated takes longer to unpack it than to read it.
pack() {
  local name folder file
  mkdir -p made root/bin root/modules root/openzfs/usr
  kmod depmod -b "$PWD/kernel" "$release"
  for name in virtio_pci virtio_console virtio_rng 9p 9pnet_virtio overlay fuse zfs; do
    kmod modprobe -d "$PWD/kernel" -S "$release" --show-depends "$name" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
  done | awk '!seen[$0]++' >files
  grep -q /zfs.ko files || fail "zfs.ko is not there"
  while read -r file; do
    cp "$file" root/modules/
    echo "${file##*/}"
  done <files >root/modules/list
  for name in sh mount insmod mkdir switch_root ln rm cp echo; do ln -s busybox "root/bin/$name"; done
  cp tools/bin/busybox root/bin/
  # To be laid over this machine's files, in which /lib and /sbin are links into /usr.
  for folder in sbin lib usr/bin usr/sbin usr/lib; do
    [ -d "commands/$folder" ] || continue
    mkdir -p "root/openzfs/usr/${folder#usr/}"
    cp -a "commands/$folder/." "root/openzfs/usr/${folder#usr/}/"
  done
  cp tools/bin/busybox made/
  cp "kernel/boot/vmlinuz-$release" made/kernel
  (cd root && find . | ../made/busybox cpio -o -H newc) >made/initramfs 2>log || fail "it cannot be packed"
}

if [ -r /etc/os-release ]; then . /etc/os-release; fi
[ "$(id -u)" = 0 ] || cannot "needs root"
[ "${ID:-} ${VERSION_ID:-} $(uname -m)" = 'debian 12 x86_64' ] || cannot "only Debian 12 on amd64 can make a guest with OpenZFS"
mkdir -p "$cache"
exec 9>"$cache/openzfs-$version.lock"
flock 9 # of two at once one builds, and the other finds it made
if ! [ -e "$made" ]; then
  for command in gcc-12 make perl file strip; do
    command -v "$command" >/dev/null || cannot "no $command is installed (sh test/setup.sh openzfs)"
  done
  part=$made.partial began=$SECONDS
  rm -rf "$cache/openzfs-$version-"*
  mkdir "$part" && cd "$part"
  archive
  fetch
  compile
  pack
  mv made "$made"
  cd / && rm -rf "$part"
  say "built OpenZFS $version in $((SECONDS - began)) s: $(du -sh "$made" | cut -f1) in $made"
fi
echo "$made"
