# shellcheck shell=bash
# Brings this machine to the system that its user data asks for, and back where that one does not serve.
#
# User data names a system: {"system":{"path":"/nix/store/…","generation":7,"signature":"NAME:…"}}, signed by the key of
# this machine's own system (components/system/publish/release.ts). A lower generation than the one that was accepted is
# refused: going back is a new wish with a higher number. The store paths come from a container (scripts/fetch-closure.sh).
#
# The new system runs on trial first: until it has proved that it serves (scripts/await-serving.sh), a reboot boots the
# one before. Each step can be killed: the next look finds the trial's file, and goes on with it. One with another kernel
# is booted once (scripts/boot-once.sh), and is the default only when it has served with that kernel, too.
#
# Environment: SEALED_ONION_STACK, SEALED_ONION_PUBLIC_KEY, SEALED_ONION_KEEP (systems before the current one that stay),
# SEALED_ONION_REBOOT ("auto": where the kernel has changed), SEALED_ONION_PATIENCE (seconds, default 300),
# SEALED_ONION_GRUB (the folder of GRUB's files; default: another loader, which boots another kernel without a way back),
# SEALED_ONION_ROOT (default none: a root to look below), and that of the other scripts.
root=${SEALED_ONION_ROOT:-}
state=$root/var/lib/sealed-onion
run=$root/run/sealed-onion-update
profile=$root/nix/var/nix/profiles/system
export http_proxy=${http_proxy:-${HTTP_PROXY:-}} # curl reads it in small letters only

mkdir -p "$state" "$run" "$root/nix/var/nix/gcroots"
exec {lock}>"$run/lock"
flock --nonblock "$lock" || exit 0 # another look is at it

boot=$(<"$root/proc/sys/kernel/random/boot_id")
current=$(readlink "$root/run/current-system")
booted=$(readlink "$root/run/booted-system")
path='' generation=0

# write FILE: standard input, whole or not at all, also after a power cut.
write() {
  cat >"$1.new"
  sync "$1.new"
  mv "$1.new" "$1"
  sync "$(dirname "$1")"
}
of() { jq --raw-output "$2 // empty" "$1" 2>/dev/null || true; }

# record OUTCOME WHY: for the status, and once a change for the console. "<2>" is what an operator without a shell sees.
record() {
  local now
  level=6
  now=$(jq --null-input --compact-output --argjson generation "$generation" --arg path "$path" --arg outcome "$1" \
    --arg why "$2" --arg boot "$boot" '{$generation, $path, $outcome, $why, $boot}')
  if [[ $(jq --compact-output 'del(.at)' "$state/update.json" 2>/dev/null) != "$now" ]]; then
    level=2
    rm -f "$run/settled"
    jq --arg at "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" '. + {$at}' <<<"$now" | write "$state/update.json"
    # `up` waits for it. Started once more, as one that is under way may have looked before this.
    systemctl --no-block restart write-status.service 2>/dev/null || true
  fi
  printf '<%s>sealed-onion: system %s %s\n' "$level" "$generation" "$1${2:+: $2}" >&2
}

# Secrets, and so all that uses them, wait until it is known what this machine is to run.
let_serve() {
  if [[ -e $run/known ]]; then return 0; fi
  touch "$run/known"
  systemctl --no-block start sops-install-secrets.service
}

# settled: until user data is another, or something else has happened, a look has nothing to do but to ask for it.
settled() { printf '%s %s' "$current" "$encoded" >"$run/settled"; }

accepted=$(of "$state/accepted.json" .generation)
# stop OUTCOME WHY: a machine that has served goes on with what it has; a new one waits, as its image may be old.
# Ends with 1 where that is news: a unit that fails every few seconds would fill the journal.
stop() {
  local level=''
  record "$1" "$2"
  if [[ $level == 2 ]]; then exit 1; fi
  exit 0
}
# Whatever fails here, a full disk for instance, is no reason to serve no more.
trap 'if [[ -n $accepted ]]; then let_serve; fi' EXIT

signed_by_us() {
  local folder
  folder=$(mktemp --directory --tmpdir="$run")
  {
    printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00' # an Ed25519 key in DER: RFC 8410, section 4
    base64 --decode <<<"${SEALED_ONION_PUBLIC_KEY#*:}"
  } >"$folder/key"
  printf 'sealed-onion system 1\n%s\n%s\n%s\n' "$SEALED_ONION_STACK" "$generation" "$path" >"$folder/text"
  base64 --decode <<<"${1#*:}" >"$folder/signature" 2>/dev/null || true
  local status=0
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$folder/key" -rawin -in "$folder/text" \
    -sigfile "$folder/signature" >/dev/null 2>&1 || status=1
  rm -r "$folder"
  return "$status"
}

# wish USER_DATA: what is asked for, in $path and $generation.
wish() {
  local signature problem="its user data is not {\"system\":{\"path\",\"generation\",\"signature\"}}"
  jq --exit-status '.system | (.path | test("^/nix/store/[0-9a-z]{32}-[0-9A-Za-z+._?=-]+$"))
    and (.generation | . == floor and . > 0 and . < 1e9) and (.signature | type == "string")' \
    >/dev/null 2>&1 <<<"$1" || stop "refused" "$problem"
  path=$(jq --raw-output .system.path <<<"$1")
  generation=$(jq --raw-output .system.generation <<<"$1")
  signature=$(jq --raw-output .system.signature <<<"$1")
  signed_by_us "$signature" || stop "refused" "it is not signed by ${SEALED_ONION_PUBLIC_KEY%%:*}"
  if ((generation < ${accepted:-0})); then
    stop "refused" "it is older than $accepted, which was accepted: go back by pulumi up of an older commit"
  fi
  if [[ $generation == "$accepted" && $path != "$(of "$state/accepted.json" .path)" ]]; then
    stop "refused" "another system of this number was accepted"
  fi
}

reboot_pending() {
  local part
  for part in kernel initrd kernel-modules; do
    if [[ $(readlink "$root$booted/$part") != $(readlink "$root$1/$part") ]]; then return 0; fi
  done
  return 1
}

# is_unproven SYSTEM: its kernel has not run here, and GRUB can boot it once.
is_unproven() { [[ -n ${SEALED_ONION_GRUB:-} ]] && reboot_pending "$1"; }

switch_to() { "$root$1/bin/switch-to-configuration" "$2" >&2; }

# keep SYSTEM: a reboot boots it. Where its kernel has not run here, the first one alone, and those after it the last system
# whose kernel has: that it serves with its own is what makes it the default.
keep() {
  if ! is_unproven "$1"; then
    keep_proven "$1"
    return 0
  fi
  ln -sfn "$standing" "$root/nix/var/nix/gcroots/sealed-onion-standing"
  nix-env --profile "$profile" --set "$1"
  switch_to "$standing" boot
  boot-once "$1"
}
keep_proven() {
  nix-env --profile "$profile" --set "$1"
  switch_to "$1" boot
  if [[ -n ${SEALED_ONION_GRUB:-} ]]; then boot-once; fi
  rm -f "$root/nix/var/nix/gcroots/sealed-onion-standing"
}

standing=$(of "$state/trial.json" .standing)
if [[ -z $standing ]]; then
  standing=$current
  if reboot_pending "$current"; then standing=$booted; fi
fi

# trial KIND ATTEMPTS: what is being tried, what to go back to, and what a reboot boots if all else fails.
trial() {
  jq --null-input --arg kind "$1" --argjson attempts "$2" --arg path "$path" --argjson generation "$generation" \
    --arg previous "$previous" --arg standing "$standing" --arg boot "$boot" --argjson silent "$silent" \
    '{$kind, $attempts, $path, $generation, $previous, $standing, $boot, $silent}' |
    write "$state/trial.json"
}

go_back() {
  printf '<4>sealed-onion: system %s does not serve: back to %s\n' "$generation" "$previous" >&2
  if [[ $kind == switch ]]; then keep "$previous"; else keep_proven "$previous"; fi
  switch_to "$previous" test || true # units that fail are the status's to tell
  systemctl --no-block start tor.service 2>/dev/null || true # it may wait out the pause between its restarts
  record "went back" "$1"
  if [[ $kind == switch ]] && is_unproven "$previous"; then
    path=$previous
    await_reboot
  else
    rm "$state/trial.json"
  fi
  let_serve
}

running() { record "running" "$(of "$state/accepted.json" .why)"; }

# await_reboot: what comes up next is on trial, with its kernel.
await_reboot() {
  previous=$standing
  trial reboot 0
}

# accept WHY: what it does not do, and needs not.
accept() {
  keep "$path"
  jq --null-input --argjson generation "$generation" --arg path "$path" --arg why "$1" '{$generation, $path, $why}' |
    write "$state/accepted.json"
  running
  if is_unproven "$path"; then await_reboot; else rm -f "$state/trial.json"; fi
  nix-env --profile "$profile" --delete-generations "+$((SEALED_ONION_KEEP + 1))" >&2
  nix-store --gc >/dev/null
}

# What the image has is taken for granted by the upload (components/system/publish): it is never collected.
if [[ ! -e $root/nix/var/nix/gcroots/sealed-onion-image && ! -L $root/nix/var/nix/gcroots/sealed-onion-image ]]; then
  ln -s "$current" "$root/nix/var/nix/gcroots/sealed-onion-image"
fi

encoded=$(curl --silent --show-error --fail --max-time 20 --header "Metadata: true" \
  "http://169.254.169.254/metadata/instance/compute/userData?api-version=2021-01-01&format=text") ||
  stop "waiting" "the metadata service does not answer"
if [[ ! -e $state/trial.json && $(cat "$run/settled" 2>/dev/null) == "$current $encoded" ]]; then exit 0; fi
user_data=$(base64 --decode <<<"$encoded" 2>/dev/null || true)
if [[ -z $encoded || $(jq 'has("system") | not' <<<"$user_data" 2>/dev/null) == true ]]; then
  let_serve # it is asked for nothing: it runs what its image has
  settled
  exit 0
fi
wish "$user_data"

if [[ $current == "$path" && $generation == "$accepted" && ! -e $state/trial.json ]]; then
  let_serve
  running
  settled
  exit 0
fi
if [[ $(of "$state/update.json" '"\(.outcome) \(.generation) \(.boot)"') == "went back $generation $boot" ]]; then
  let_serve # it had its trial; a reboot gives it another one
  exit 0
fi

# silent_now: services that lead to nothing though all else serves; no update would ever come to a machine if these were
# held against it. Of one that does not serve at all (it has just been booted) nothing is known.
silent_now() {
  local silent
  silent=$(find-silent)
  if [[ $silent == "{}" ]] || await-serving 0 "$silent" >/dev/null; then printf '%s' "$silent"; else printf '{}'; fi
}

previous=$current attempts=1 kind=switch silent=''
if [[ $(of "$state/trial.json" .path) == "$path" ]]; then
  previous=$(of "$state/trial.json" .previous)
  kind=$(of "$state/trial.json" .kind)
  attempts=$(of "$state/trial.json" .attempts)
  silent=$(of "$state/trial.json" .silent)
  if [[ $(of "$state/trial.json" .boot) != "$boot" ]]; then attempts=$((attempts + 1)); fi
fi
if [[ $kind != switch && $booted != "$path" && $(of "$state/trial.json" .boot) != "$boot" ]]; then
  if [[ -n $accepted ]]; then
    go_back "the machine does not come up with its kernel"
    exit 1
  fi
  kind=switch SEALED_ONION_REBOOT=manual # a new machine has nothing better than this system with the image's kernel
fi
if [[ $kind == reboot && $booted != "$path" ]]; then
  let_serve
  if [[ $SEALED_ONION_REBOOT == auto ]]; then systemctl reboot; else running; fi
  exit 0
fi
if [[ $kind == reboot ]]; then kind=booted; fi
silent=${silent:-$(silent_now)}
rm -f "$root/nix/var/nix/gcroots/sealed-onion-before"
ln -s "$previous" "$root/nix/var/nix/gcroots/sealed-onion-before"

why=$(fetch-closure "$path") || {
  case $? in
  3) stop "refused" "$why" ;;
  *) stop "waiting" "$why" ;;
  esac
}
ln -sfn "$path" "$root/nix/var/nix/gcroots/sealed-onion-wanted"
platform() { cat "$root$1/system" 2>/dev/null || true; }
if [[ ! -x $root$path/bin/switch-to-configuration ]]; then stop "refused" "it is no NixOS system"; fi
if [[ $(platform "$path") != "$(platform "$current")" ]]; then
  stop "refused" "it is a system of $(platform "$path"), this machine is one of $(platform "$current")"
fi

if ((attempts > 2 && ${accepted:-0} > 0)); then
  go_back "the machine went down twice while it was tried"
  exit 1
fi
trial "$kind" "$attempts"
record "trying" ""
let_serve
status=0
switch_to "$path" test || status=$?
why="switch-to-configuration ended with $status"
if ((status == 0 || status == 4)) && why=$(await-serving "${SEALED_ONION_PATIENCE:-300}" "$silent"); then
  if [[ $SEALED_ONION_REBOOT == auto ]] && reboot_pending "$path"; then
    keep "$path"
    await_reboot
    record "trying" "it has another kernel: the machine reboots"
    systemctl reboot
  else
    accept "$(find-silent | jq --raw-output 'to_entries | map("service \(.key), as before: \(.value)") | join("; ")')"
  fi
elif [[ -z $accepted ]]; then
  accept "" # a new machine has nothing better: its image may be old; the status says what is wrong
else
  go_back "$why"
  if [[ $kind == booted ]]; then systemctl reboot; fi
  exit 1
fi
