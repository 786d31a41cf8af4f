# shellcheck shell=bash
# Mounts the machine's data disk, and in it what is kept there:  mount-data-disk DEVICE FOLDER KEPT...
#
# A disk is formatted once, when it is new: while nothing at all is on it. Whatever else is found there stays, and the
# console says what. A power cut while it was formatted leaves a mark at its end, and the next run starts again.
# Each of KEPT, an absolute path, becomes a folder of the disk: it is bound from FOLDER/<path>.
# Environment: SEALED_ONION_READ, bytes at both ends that must be empty on a new disk (default 16 MiB).
device=$1 folder=$2
shift 2
label=sealed-onion
mark="sealed-onion: being formatted"
room=1048576 # the file system leaves this much at the end of a new disk, for the mark

fail() {
  printf '<2>sealed-onion: the data disk is not used: %s\n' "$1" >&2
  exit 1
}

size=$(blockdev --getsize64 "$device")

# at OFFSET COUNT: these bytes of the disk.
at() { tail -c "+$(($1 + 1))" "$device" | head -c "$2"; }
is_empty() { cmp --quiet --bytes="$2" <(at "$1" "$2") /dev/zero; }
is_marked() { [[ $(at $((size - room)) ${#mark} | tr -d '\0') == "$mark" ]]; }
write_end() { dd of="$device" bs=4096 seek=$(((size - room) / 4096)) conv=notrunc,sync,fsync status=none; }

# Low-level, past every cache: 2 is "nothing found", 8 "more than one thing".
found=0
kind=$(blkid --probe --output value --match-tag TYPE "$device") || found=$?
table=$(blkid --probe --output value --match-tag PTTYPE "$device") || true

format() {
  printf '%s' "$mark" | write_end
  mkfs.ext4 -q -F -L "$label" -m 1 "$device" "$(((size - room) / 1024))k"
  head -c 4096 /dev/zero | write_end
  printf '<5>sealed-onion: the data disk was new: it is formatted\n' >&2
}

if [[ $kind == ext4 ]]; then
  name=$(blkid --probe --output value --match-tag LABEL "$device") || true
  if [[ $name != "$label" ]]; then
    fail "its file system is called '$name', not '$label': it belongs to something else, and is left as it is"
  fi
elif [[ -n $kind$table ]] || ((found != 0 && found != 2)); then
  fail "it holds ${kind:-${table:-several things}}, which is left as it is: attach an empty disk"
elif is_marked; then
  format
else
  read=${SEALED_ONION_READ:-16777216}
  if ((read > size / 2)); then read=$((size / 2)); fi
  if ! is_empty 0 "$read" || ! is_empty $((size - read)) "$read"; then
    fail "it is not empty and holds no file system, so it is left as it is: attach an empty disk"
  fi
  format
fi

# Whether the disk has grown since its file system was made: both then grow, before anything is on it.
has_grown() {
  local blocks block
  read -r blocks block < <(dumpe2fs -h "$device" 2>/dev/null |
    sed -n 's/^Block count: *//p; s/^Block size: *//p' | tr '\n' ' ')
  ((blocks * block + room < size))
}

# check ARGUMENTS...: 0 is clean, 1 mended; more is for a person.
check() {
  local code=0
  e2fsck -p "$@" "$device" >/dev/null || code=$?
  if ((code > 1)); then fail "e2fsck ends with $code: run e2fsck $device on the machine"; fi
}

if ! mountpoint --quiet "$folder"; then
  if has_grown; then
    check -f
    resize2fs "$device" "$(((size - room) / 1024))k" >/dev/null 2>&1 || fail "it cannot be grown: run resize2fs $device"
  else
    check
  fi
  mkdir -p "$folder"
  mount -t ext4 -o nodev,nosuid,noatime "$device" "$folder"
fi

for kept in "$@"; do
  (umask 0077 && mkdir -p "$folder$kept") # those above it, too, are root's alone
  mkdir -p "$kept"
  if ! mountpoint --quiet "$kept"; then mount --bind "$folder$kept" "$kept"; fi
done
