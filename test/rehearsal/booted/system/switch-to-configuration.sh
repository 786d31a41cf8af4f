#!/bin/sh
# In the place of NixOS's own, and by its rules: what changed is stopped before the activation and started after it; with
# X-StopIfChanged=false it is restarted after it; with X-RestartIfChanged=false, or where it does not run, it is left
# alone. Ends with 4 where a unit does not start.
#   switch-to-configuration boot|test
set -eu
export PATH=/usr/sbin:/usr/bin
system=@system@
units=/etc/systemd/system

# Has a menu as NixOS's GRUB has it: what it is called for, then each system of the profile.
entry() { printf 'menuentry "%s" --class nixos {\n  linux (hd0)/kernel init=%s/init quiet\n}\n\n' "$1" "$2"; }
menu() {
  entry NixOS "$system"
  printf 'submenu "NixOS - All configurations" --class submenu {\n'
  for link in /nix/var/nix/profiles/system-*-link; do
    number=${link#*system-}
    entry "NixOS - Configuration ${number%-link} (2026-01-01 - 26.05)" "$(readlink "$link")"
  done
  printf '}\n'
}

if [ "$1" = boot ]; then
  mkdir -p /boot/grub
  menu >/boot/grub/grub.cfg.tmp
  sync /boot/grub/grub.cfg.tmp
  mv /boot/grub/grub.cfg.tmp /boot/grub/grub.cfg
  ln -sfn "$system" /boot/default.new
  sync -f /nix
  mv -T /boot/default.new /boot/default
  sync /boot
  exit 0
fi

says() { grep -q "^$2=$3\$" "$1"; }
stop='' start='' restart=''
for file in "$system"/units/*.*; do
  [ -f "$file" ] || continue
  name=$(basename "$file")
  if [ ! -e "$units/$name" ]; then
    if ls "$system"/units/*/"$name" >/dev/null 2>&1; then start="$start $name"; fi
  elif ! cmp -s "$file" "$units/$name" && ! says "$file" X-RestartIfChanged false; then
    systemctl --quiet is-active "$name" || [ "$(systemctl is-active "$name")" = activating ] || continue
    if says "$file" X-StopIfChanged false; then
      restart="$restart $name"
    else
      stop="$stop $name" start="$start $name"
    fi
  fi
done
while read -r name; do
  if [ -f "$units/$name" ] && [ ! -L "$units/$name" ] && [ ! -e "$system/units/$name" ] &&
    ! says "$units/$name" X-StopOnRemoval false; then
    stop="$stop $(basename "$name")"
  fi
done <"$units/.of-the-system"
# shellcheck disable=SC2086
if [ -n "$stop" ]; then systemctl stop $stop; fi
"$system/bin/activate"
systemctl daemon-reload
code=0
# shellcheck disable=SC2086
if [ -n "$restart" ]; then systemctl restart $restart || code=4; fi
# shellcheck disable=SC2086
if [ -n "$start" ]; then systemctl start $start || code=4; fi
exit "$code"
