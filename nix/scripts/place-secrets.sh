# shellcheck shell=bash
# Places the secrets of a manifest, but for the named ones: of these, what was open before stays.
#   place-secrets SAID PROBLEM MANIFEST [NAME...]
#
# What sops-install-secrets says is this program's standard output too, and its end is this one's. Where it takes long,
# Azure is asked what keeps it (scripts/explain-sealed.sh): that is said as "PROBLEM: …" (scripts/say-change.sh SAID), and
# it is ended, as it would wait for minutes.
# Environment: that of explain-sealed, SEALED_ONION_SECRETS (default /run/secrets).
said=$1 problem=$2 manifest=$3
shift 3
secrets=${SEALED_ONION_SECRETS:-/run/secrets}
patience=5 # seconds without a word

if (($# > 0)); then
  # A template may need a secret that is left out: then it would hold something else than it should.
  part=$(mktemp)
  trap 'rm -f "$part"' EXIT
  jq '.secrets |= map(select(.name | IN($ARGS.positional[]) | not)) | .templates = []' "$manifest" --args "$@" >"$part"
  manifest=$part
fi

repeat() { printf '%s\n' "$1" && printf '%s\n' "$1" >&2; }

before=$(realpath --quiet --canonicalize-existing "$secrets" || true)
exec {from}< <(exec timeout 60 sops-install-secrets "$manifest" 2>&1)
installer=$!
while :; do
  ended=0
  IFS= read -r -t "$patience" -u "$from" line || ended=$?
  if ((ended == 0)); then
    repeat "$line"
  elif ((ended <= 128)); then # its end, and perhaps a last line that has none
    if [[ -n $line ]]; then repeat "$line"; fi
    break
  else
    patience=60
    reason=$(explain-sealed)
    if [[ -n $reason ]]; then
      say-change "$said" "$problem: $reason"
      kill "$installer" 2>/dev/null || true
    fi
  fi
done
wait "$installer"

for name in "$@"; do
  if [[ -n $before && -e $before/$name ]]; then cp --preserve=mode,ownership "$before/$name" "$(realpath "$secrets")/$name"; fi
done
