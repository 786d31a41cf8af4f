# shellcheck shell=bash
# Says on the console, in one line, why tor ended, when it did not end well: tor's own words and what to do.
# Environment: SERVICE_RESULT, INVOCATION_ID (from systemd), SEALED_ONION_STATE (default /run/sealed-onion).
if [[ ${SERVICE_RESULT:-failure} == success ]]; then exit 0; fi
journalctl --sync || true
log=$(journalctl --quiet --no-pager --output=cat "_SYSTEMD_INVOCATION_ID=$INVOCATION_ID")
say() { say-change "${SEALED_ONION_STATE:-/run/sealed-onion}/said-tor" "tor stays down: $1"; }

# scripts/prepare-onion-key.sh has said already what it found.
if [[ $log == *"sealed-onion: onion service"* ]]; then exit 0; fi
mismatch=$(sed -n '/.*\[warn\] \(.* does not match [^!]*\)!.*/{s//\1/p;q}' <<<"$log")
if [[ -n $mismatch ]]; then
  say "$mismatch: the sealed key is not the one of the declared hostname: seal the right key, or correct the hostname"
elif [[ $log != *"[err]"* ]]; then
  say "${SERVICE_RESULT:-it failed}: see journalctl -u tor"
else
  say "$(sed -n 's/.*\[err\] //p' <<<"$log" | tail -n 1): see journalctl -u tor"
fi
