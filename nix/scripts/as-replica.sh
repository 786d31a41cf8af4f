# shellcheck shell=bash
# Runs a command as this machine's replica: what stands for the first replica in its arguments becomes this one's.
#   as-replica TABLE COMMAND [ARGUMENT]...      TABLE: a file, {"<text>":["<replica 1's>", "<replica 2's>", …]}
# Environment: SEALED_ONION_REPLICA (the folder of scripts/read-replica.sh, default /run/sealed-onion-replica).
table=$1
shift
command=("$@")
if ! number=$(cat "${SEALED_ONION_REPLICA:-/run/sealed-onion-replica}/number" 2>/dev/null); then
  printf '<4>sealed-onion: it is not known yet which replica this is\n' >&2
  exit 1
fi
while IFS=$'\t' read -r text own; do
  for index in "${!command[@]}"; do command[index]=${command[index]//"$text"/"$own"}; done
done < <(jq --raw-output --argjson number "$number" 'to_entries[] | [.key, .value[$number - 1]] | @tsv' "$table")
exec "${command[@]}"
