# shellcheck shell=bash
# Lets the visits that this machine has taken in end before it goes for good, and takes no new ones.
#   finish-visits CONTROL_SOCKET
#
# Another machine serves the address by then, or the other replicas do. A client that still comes here by an older
# descriptor finds no introduction point, asks for the newest one, and goes on; cut off in the middle of a visit it would
# show an error. Of a reboot the visits are this machine's again, and waiting would only make it longer: nothing is done.
#
# Tor has no command for it. It makes its introduction points again each second, so they are closed for as long as this
# runs; what they have led to stays open. What it would publish of new ones, it keeps to itself.
# Source: https://spec.torproject.org/control-spec/ (CLOSECIRCUIT, GETINFO circuit-status)
# Environment: SEALED_ONION_FINISH (seconds, default 5).
socket=$1

if [[ ! -S $socket ]]; then exit 0; fi
jobs=$(systemctl list-jobs --no-legend poweroff.target halt.target)
if [[ $jobs != *start* ]]; then exit 0; fi

ask() {
  { printf 'AUTHENTICATE\r\n' && printf '%s\r\n' "$@" QUIT; } | socat -t 2 - "UNIX-CONNECT:$socket"
}

end=$((SECONDS + ${SEALED_ONION_FINISH:-5}))
ask 'SETCONF PublishHidServDescriptors=0' >/dev/null
while ((SECONDS < end)); do
  introduction=$(ask 'GETINFO circuit-status' |
    sed -n 's/^\(250-circuit-status=\)\{0,1\}\([0-9]*\) .*PURPOSE=HS_SERVICE_INTRO .*/CLOSECIRCUIT \2/p')
  if [[ -n $introduction ]]; then
    mapfile -t commands <<<"$introduction"
    ask "${commands[@]}" >/dev/null # a 552 is of one that has gone meanwhile
  fi
  sleep 0.1
done
