#!/bin/sh
# What a boot loader, an initrd and NixOS's first stage do: the system that is to be booted becomes the current one, and
# systemd is its first process. Other managers of systemd, of users, are what they were.
if [ $$ = 1 ]; then
  system=$(/usr/bin/readlink /boot/default)
  /usr/bin/ln -sfn "$system" /run/booted-system
  "$system/bin/activate"
fi
exec /usr/lib/systemd/first/systemd "$@"
