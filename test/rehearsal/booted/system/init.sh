#!/bin/sh
# What a boot loader, an initrd and NixOS's first stage do: the system that is to be booted becomes the current one, and
# systemd is its first process. Other managers of systemd, of users, are what they were.
PATH=/usr/sbin:/usr/bin

# GRUB takes `next_entry` out of its environment block before it boots: the last part is an entry's title.
take_next() {
  next=$(sed -n 's/^next_entry=.*>//p' /boot/grub/grubenv 2>/dev/null)
  [ -n "$next" ] || return 0
  printf '# GRUB Environment Block\n' >/boot/grub/grubenv
  sync /boot/grub/grubenv
  next=$(grep -F -A 1 "\"$next\"" /boot/grub/grub.cfg | sed -n 's/.* init=\([^ ]*\)\/init.*/\1/p')
  [ -z "$next" ] || system=$next
}

if [ $$ = 1 ]; then
  export PATH
  system=$(readlink /boot/default)
  take_next
  if grep -q panics "$system/kernel"; then
    echo "Kernel panic - not syncing: $system"
    exec systemctl reboot --force --force # at once, by nobody but the kernel (panic=1)
  fi
  ln -sfn "$system" /run/booted-system
  [ ! -e /usr/lib/sops.zst ] || zstd -q -d /usr/lib/sops.zst -o /run/sops
  [ ! -e /run/sops ] || chmod 755 /run/sops
  "$system/bin/activate"
fi
exec /usr/lib/systemd/first/systemd "$@"
