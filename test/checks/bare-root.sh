#!/bin/sh
# A newcomer's first hour on a bare Debian: a root file system with Node and nothing else, no Python, no tor, no age. What
# a rehearsal needs it installs by itself. Takes root, mmdebstrap and a network; the checkout is the current folder.
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mmdebstrap --quiet --variant=minbase --include=ca-certificates bookworm "$root"
node=$(dirname "$(dirname "$(realpath "$(command -v node)")")")
cp "$node/bin/node" "$root/usr/bin/"
mkdir -p "$root/usr/lib/node_modules" "$root/srv/sealed onion"
cp -r "$node/lib/node_modules/npm" "$root/usr/lib/node_modules/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
cp /etc/resolv.conf "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" # also where a proxy of one's own is in between
git -c safe.directory='*' archive HEAD | tar -x -C "$root/srv/sealed onion"
# Mounts and processes of its own: they are gone with it.
# shellcheck disable=SC2016 # the inner shell knows them
ROOT=$root unshare --mount --pid --fork --kill-child --propagation=private sh -eu -c '
  mount -t proc proc "$ROOT/proc"
  mount --rbind /dev "$ROOT/dev"
  mount -t tmpfs tmpfs "$ROOT/tmp"
  certificates=/etc/ssl/certs/ca-certificates.crt
  exec chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    NODE_EXTRA_CA_CERTS="$certificates" PIP_CERT="$certificates" sh -eu -c "
    cd \"/srv/sealed onion\"
    npm ci
    npm run rehearse -- --json"'
