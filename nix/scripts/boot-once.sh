# shellcheck shell=bash
# Has GRUB boot a system at the next start, and at that one alone. A kernel that does not come up is then left by the
# next start: its own after a panic, or one that a person asks Azure for.
#   boot-once SYSTEM
#   boot-once          the next start is like all others
#
# GRUB takes `next_entry` out of its environment block before it boots: 1024 bytes, filled up with "#". Sources:
# https://www.gnu.org/software/grub/manual/grub/html_node/Environment-block.html and NixOS's install-grub.pl.
# Ends with 1 where the menu does not have that system.
# Environment: SEALED_ONION_GRUB (the folder of GRUB's files), SEALED_ONION_ROOT (default none: a root to look below).
folder=${SEALED_ONION_ROOT:-}$SEALED_ONION_GRUB

# entry_of SYSTEM: the title of its menu entry, after those of the menus that it is in: `ALL>SYSTEM 7`.
entry_of() {
  local line titles=()
  while IFS= read -r line; do
    if [[ $line =~ ^(menuentry|submenu)\ \"([^\"]*)\" ]]; then
      titles+=("${BASH_REMATCH[2]}")
    elif [[ $line == "}" ]] && ((${#titles[@]} > 0)); then
      unset 'titles[-1]'
    elif [[ "$line " == *" init=$1/init "* ]]; then
      local IFS='>'
      printf '%s' "${titles[*]}"
      return 0
    fi
  done <"$folder/grub.cfg"
  return 1
}

block=$'# GRUB Environment Block\n'
if [[ -n ${1:-} ]]; then
  entry=$(entry_of "$1") || {
    printf 'boot-once: %s has no %s\n' "$folder/grub.cfg" "$1" >&2
    exit 1
  }
  block+="next_entry=$entry"$'\n'
fi
length=$(LC_ALL=C && printf '%s' "${#block}")
{
  printf '%s' "$block"
  printf '%*s' $((1024 - length)) '' | tr ' ' '#'
} >"$folder/grubenv.new"
sync "$folder/grubenv.new"
mv "$folder/grubenv.new" "$folder/grubenv"
sync "$folder"
