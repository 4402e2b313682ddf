#!/usr/bin/env bash
# Runs the README's commands verbatim on a minimal Debian 12: as root, and as a user with sudo.
# Needs root, debootstrap and a package mirror. Usage: scripts/fresh.sh [--quick]   (--quick: only ./dev run)
# Everything happens in a temporary folder and in a separate mount namespace: the host stays unchanged.
set -euo pipefail
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite=bookworm

die() { printf 'fresh: %s\n' "$1" >&2; exit "${2:-1}"; }

quick=no
case $* in
  "") ;;
  --quick) quick=yes ;;
  *) die "takes nothing or --quick" 2 ;;
esac
[ "$(id -u)" = 0 ] || die "must run as root (it makes a root folder and changes into it)"
command -v debootstrap > /dev/null || die "needs debootstrap: apt-get install debootstrap"
if [ "${HEDDLE_FRESH_INSIDE:-}" != yes ]; then
  HEDDLE_FRESH_INSIDE=yes exec unshare --mount --propagation private "${BASH_SOURCE[0]}" "$@"
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/heddle-fresh.XXXXXX")
mounted=()
cleanup() {
  local i
  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do umount -l "${mounted[i]}" 2> /dev/null || true; done
  # The namespace ends with this script; --one-file-system additionally protects the host's /dev and /proc.
  rm -rf --one-file-system "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# --- the host's apt setup ---

debian_sources() {  # the host's source files with the suite
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] && grep -qE "^[^#]*[[:space:]]$suite([[:space:]/]|$)" "$file" && echo "$file"
  done
  return 0
}

mirror_of() {  # FILE: the first URI for the suite, in either format
  case $1 in
    *.sources) awk '/^URIs:/ { print $2; exit }' "$1" ;;
    *) sed -E 's/\[[^]]*\]//' "$1" | awk -v s="$suite" '$1 == "deb" && $3 == s { print $2; exit }' ;;
  esac
}

copy_file() {  # PATH ROOT: to the same place below ROOT
  mkdir -p "$2$(dirname "$1")"
  cp -L "$1" "$2$1"
}

copy_apt_setup() {  # ROOT
  local root=$1 file key
  rm -f "$root/etc/apt/sources.list"
  while read -r file; do
    copy_file "$file" "$root"
    while read -r key; do
      [ ! -f "$key" ] || copy_file "$key" "$root"
    done < <(grep -oiE '(Signed-By: *|signed-by=)/[^] ,]+' "$file" | grep -oE '/.*')
  done < <(debian_sources)
  # Proxies, certificates and checks of dates; no hooks, no other settings of the host.
  for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
    [ -f "$file" ] && grep -qE '^[[:space:]]*Acquire' "$file" || continue
    copy_file "$file" "$root"
    while read -r key; do
      [ ! -f "$key" ] || copy_file "$key" "$root"
    done < <(grep -oE '(CaInfo|SslCert|SslKey|AuthFile)[^"]*"/[^"]+' "$file" | grep -oE '/[^"]+$')
  done
  for file in /etc/resolv.conf /etc/hosts; do
    [ ! -f "$file" ] || copy_file "$file" "$root"
  done
}

mount_system() {  # ROOT
  mount -t proc proc "$1/proc"; mounted+=("$1/proc")
  mount -t sysfs -o ro sysfs "$1/sys"; mounted+=("$1/sys")
  mount --bind /dev "$1/dev"; mounted+=("$1/dev")
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"; mounted+=("$1/dev/pts")
  mount -t tmpfs tmpfs "$1/dev/shm"; mounted+=("$1/dev/shm")
}

copy_tree() {  # TO
  mkdir -p "$1"
  tar -C "$tree" --exclude=./.git --exclude=./build -cf - . | tar -C "$1" --no-same-owner -xf -
}

inside() {  # ROOT USER HOME COMMAND: in the copied tree
  local proxies=() name
  for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || proxies+=("$name=${!name}")
  done
  chroot --userspec="$2:$2" "$1" /usr/bin/env -i HOME="$3" USER="$2" LOGNAME="$2" TERM=dumb LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${proxies[@]}" \
    /bin/bash -c "cd '$3/heddle' && $4"
}

# --- the runs ---

mapfile -t commands < <(awk '/^```sh$/ { inside = 1; next } /^```/ { if (inside) exit } inside && NF' "$tree/README.md")
[ "${#commands[@]}" -gt 0 ] || die "README.md has no block of shell commands (\`\`\`sh)"
if [ "$quick" = yes ]; then
  mapfile -t commands < <(printf '%s\n' "${commands[@]}" | grep -x './dev run')
  [ "${#commands[@]}" = 1 ] || die "README.md's first block has no line ./dev run"
fi

mapfile -t sources < <(debian_sources)
[ "${#sources[@]}" -gt 0 ] || die "the host's apt names no source for $suite"
mirror=$(mirror_of "${sources[0]}")
[ -n "$mirror" ] || die "no URI in ${sources[0]}"
extra=()
case $mirror in https:*) extra=(--include=ca-certificates) ;; esac

report=()
status=0
attempt() {  # ROOT USER HOME
  local command start result
  for command in "${commands[@]}"; do
    printf '== fresh: as %s: %s\n' "$2" "$command"
    start=$SECONDS result=ok
    inside "$1" "$2" "$3" "$command" || { result=FAILED; status=1; }
    report+=("$(printf '%6d s  %-7s as %s: %s' $((SECONDS - start)) "$result" "$2" "$command")")
  done
}

echo "== fresh: a minimal $suite"
debootstrap --variant=minbase "${extra[@]}" "$suite" "$scratch/pristine" "$mirror" > "$scratch/debootstrap.log" 2>&1 ||
  { tail -n 20 "$scratch/debootstrap.log" >&2; die "debootstrap failed"; }
copy_apt_setup "$scratch/pristine"
cp -a --reflink=auto "$scratch/pristine" "$scratch/user"
mv "$scratch/pristine" "$scratch/root"

mount_system "$scratch/root"
copy_tree "$scratch/root/root/heddle"
attempt "$scratch/root" root /root

mount_system "$scratch/user"
echo "== fresh: a second root, with sudo and a user"
chroot "$scratch/user" /usr/bin/env DEBIAN_FRONTEND=noninteractive /bin/bash -c '
  apt-get -q update && apt-get -q install -y --no-install-recommends sudo && useradd --create-home --shell /bin/bash weaver &&
  echo "weaver ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/weaver && chmod 440 /etc/sudoers.d/weaver' \
  > "$scratch/sudo.log" 2>&1 || { tail -n 20 "$scratch/sudo.log" >&2; die "cannot install sudo in the new root"; }
copy_tree "$scratch/user/home/weaver/heddle"
chroot "$scratch/user" chown -R weaver:weaver /home/weaver/heddle
attempt "$scratch/user" weaver /home/weaver

printf '\n'
printf '%s\n' "${report[@]}"
exit "$status"
