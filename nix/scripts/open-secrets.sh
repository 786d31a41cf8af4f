# shellcheck shell=bash
# Opens the secrets of a manifest, and says on the console how it stands, once for each change.  open-secrets MANIFEST
#
# sops-install-secrets opens all of them or none. Where Azure is willing and they do not open all the same, each is tried
# alone: those that open are placed, and one that does not keeps no other closed. It is tried again by the next start.
#
# Environment: that of scripts/place-secrets.sh, SEALED_ONION_STATE (default /run/sealed-onion), SEALED_ONION_MEMORY
# (/run/secrets.d): where sops-nix keeps its generations, on a ramfs.
manifest=$1
export SEALED_ONION_STATE=${SEALED_ONION_STATE:-/run/sealed-onion}
memory=${SEALED_ONION_MEMORY:-/run/secrets.d}
trial=$memory/trial
said=$SEALED_ONION_STATE/said-secrets
closed=$SEALED_ONION_STATE/closed # the manifest, what was said of those that did not open, and their names
sealed="the secrets are still sealed"
(umask 0077 && mkdir -p "$SEALED_ONION_STATE")

say() { say-change "$said" "$1"; }
place() { place-secrets "$said" "$sealed" "$@"; }
# Those that wait for a secret; they follow the unit that runs this, and so start when it has ended.
start_consumers() { systemctl --no-block start sealed-secrets.target || true; }
# What it did not do, and not which keys it has found besides ("Imported …").
last_words() { sed '/: Imported /d; s/.*sops-install-secrets: //' <<<"$1" | tail -n 1 | cut -c 1-200; }

# opens NAME: whether it opens alone, for a moment, in a place of its own: as a user's, for which nothing is mounted.
opens() {
  jq --arg name "$1" --arg trial "$trial" '.secrets |= [.[] | select(.name == $name)
      | .path = "\($trial)/open/\($name)" | .restartUnits = [] | .reloadUnits = []]
    | .secretsMountPoint = $trial | .symlinkPath = "\($trial)/open" | .templates = [] | .userMode = true' "$manifest" >"$SEALED_ONION_STATE/trial.json"
  words=$(XDG_RUNTIME_DIR=$trial place "$SEALED_ONION_STATE/trial.json")
}

if [[ -z ${SEALED_ONION_MEMORY:-} && $(stat --file-system --format %T "$memory") != ramfs ]]; then
  say "$sealed: $memory is no memory that never swaps: look at systemctl status run-secrets.d.mount"
  exit 1
fi

# A switch opens the image's secrets again while scripts/refresh-secrets.sh may be opening user data's: one at a time.
exec {lock}<"$memory"
flock "$lock"
trap 'rm -rf "$trial"' EXIT
if [[ -e $closed && $(head -n 1 "$closed") == "$manifest" ]]; then
  opened=
  while IFS= read -r name; do
    if opens "$name"; then opened=1; fi
  done < <(tail -n +3 "$closed")
  if [[ -z $opened ]]; then
    say "$(sed -n 2p "$closed")"
    exit 1
  fi
fi

if words=$(place "$manifest"); then
  rm -f "$closed"
  start_consumers # not by ExecStartPost=: that is a second confinement to set up, which takes a third of the time
  say "the secrets are open"
  exit 0
fi
reason=$(explain-sealed)
if [[ -n $reason ]]; then
  say "$sealed: $reason"
  exit 1
fi

all_words=$(last_words "$words")
open=() left=() why=
while IFS= read -r name; do
  if opens "$name"; then
    open+=("$name")
  else
    left+=("$name")
    why+=${why:+; }"$name ($(last_words "$words"))"
  fi
done < <(jq --raw-output '.secrets[].name' "$manifest")
remedy="look at journalctl -u sops-install-secrets"
if [[ $why == *"failed to decrypt"* ]]; then remedy="seal again with \`pulumi up\`"; fi

if ((${#left[@]} == 0)); then
  say "$sealed: they open, but could not be placed: ${all_words:-$remedy}"
elif ((${#open[@]} == 0)); then
  say "$sealed: identity ${AZURE_CLIENT_ID:-of this machine} may use $SEALED_ONION_KEY_URL, but not for $why: $remedy"
elif place "$manifest" "${left[@]}" >/dev/null; then
  start_consumers
  why="some secrets are still sealed, the others are open: $why: $remedy"
  printf '%s\n' "$manifest" "$why" "${left[@]}" >"$closed"
  say "$why"
else
  say "$sealed: those that open could not be placed: $remedy"
fi
exit 1
