# shellcheck shell=bash
# Follows what the Tor network has of each onion service of this machine, for as long as tor runs.
#   follow-descriptors CONTROL_SOCKET HOSTNAME...
#
# Writes STATE/descriptors.json at each change: {"<hostname>":{"published":"2026-01-02T03:04:05Z","state":"own"}}.
# "waiting": this tor has not published yet, or the network does not give it out yet. "own": the network gives out what
# this tor published. "other": it gives out another machine's, which has the same key.
#
# A machine that is replaced may publish once more just before it goes, and the address would lead nowhere for up to two
# hours. So a machine that has just started looks again and again, and restarts tor, which publishes, when the network
# gives out another one's descriptor. Later it does not: two machines would else fight for the address.
#
# It looks as soon as every directory that tor uploads to has answered: one that has not could still give out the machine
# before's. Uploads that began before this did are not counted; then it looks after a while.
#
# Descriptors are told apart by the certificate in their clear part: each tor signs with a key of its own, another one
# in each time period. Sources: https://spec.torproject.org/control-spec/ (HSFETCH, HS_DESC) and
# https://spec.torproject.org/rend-spec/hsdesc-outer.html, .../shared-random.html (time periods).
# Of a replica it counts visits, too: every SEALED_ONION_COUNT seconds (default 0: never) STATE/visits.json gets the
# introductions that this tor has been asked for since its start, {"introductions":12,"seconds":3600}.
# Environment: SEALED_ONION_STATE (a folder), SEALED_ONION_SAID (a file: what the console was last told of tor), and in
# seconds SEALED_ONION_SETTLE (from the last upload known to the first look, default 5), SEALED_ONION_LOOK (between two, 60),
# SEALED_ONION_GUARD (of the machine's life, 1800).
socket=$1
shift
state=$SEALED_ONION_STATE
settle=${SEALED_ONION_SETTLE:-5} look=${SEALED_ONION_LOOK:-60} guard=${SEALED_ONION_GUARD:-1800}
count=${SEALED_ONION_COUNT:-0} counted=0 tor_uptime=0
declare -A published=() signer=() period=() standing=() due=() uploads=()
reply='' answer='' told='' written=''

# Tor counts as started before it has made its socket.
for ((tenths = 0; tenths < 300; tenths++)); do
  if [[ -S $socket ]]; then break; fi
  sleep 0.1
done
coproc TOR { exec socat - "UNIX-CONNECT:$socket"; }
# shellcheck disable=SC2154 # set by coproc
exec {from}<&"${TOR[0]}" {to}>&"${TOR[1]}"
# shellcheck disable=SC2153
tor_pid=$TOR_PID
trap 'kill "$tor_pid" 2>/dev/null || true' EXIT

end() {
  printf '<4>sealed-onion: %s\n' "$1" >&2
  exit 1
}

# next SECONDS: a line of tor's in $answer; 1 where none came in time.
next() {
  local status=0
  IFS= read -r -t "$1" -u "$from" answer || status=$?
  answer=${answer%$'\r'}
  if ((status == 0)); then return 0; fi
  if ((status <= 128)); then end "tor has closed its control socket"; fi
  return 1
}

# has_published HOSTNAME: at least one directory has what tor has just published.
has_published() {
  published[$1]=$(date --utc +%Y-%m-%dT%H:%M:%SZ)
  signer[$1]='' # of which of both time periods this was, tor does not say: see what the network gives out
  due[$1]=$((SECONDS + settle))
  if [[ $told != "${!published[*]}" ]]; then
    told=${!published[*]}
    say-change "$SEALED_ONION_SAID" "published: $told"
  fi
}

# What tor tells by itself: an upload to one directory begins, or ends. None is left: all of them have answered.
event() {
  local what hostname left
  if [[ $1 =~ ^650\ NOTICE\ .*\ received\ ([0-9]+)\ v3\ INTRODUCE2\ cells ]]; then
    printf '{"introductions":%s,"seconds":%s}\n' "${BASH_REMATCH[1]}" "$tor_uptime" >"$state/visits.json.new"
    mv "$state/visits.json.new" "$state/visits.json"
    return 0
  fi
  read -r _ what hostname _ <<<"${1#650 }"
  hostname=$hostname.onion
  if [[ -z ${standing[$hostname]:-} ]]; then return 0; fi
  left=${uploads[$hostname]:-0}
  case $what in
  UPLOAD)
    uploads[$hostname]=$((left + 1))
    return 0
    ;;
  UPLOADED) has_published "$hostname" ;;
  FAILED) if [[ $1 != *" REASON=UPLOAD_REJECTED"* ]]; then return 0; fi ;; # the others are a fetch's
  *) return 0 ;;
  esac
  if ((left > 0)); then uploads[$hostname]=$((left - 1)); fi
  if ((left == 1)) && [[ -n ${published[$hostname]:-} ]]; then due[$hostname]=$((SECONDS + 1)); fi
}

# ask COMMAND: the reply's data in $reply; 1 where tor refuses, with its word there.
ask() {
  printf '%s\r\n' "$1" >&"$to"
  reply=
  while next 30; do
    case $answer in
    650*) event "$answer" ;;
    250+*) while next 30 && [[ $answer != . ]]; do reply+=$answer$'\n'; done ;;
    250-*) reply+=${answer:4}$'\n' ;;
    250*) return 0 ;;
    *)
      reply=${answer:4}
      return 1
      ;;
    esac
  done
  end "tor does not answer $1"
}

# fetch ADDRESS: who signed what the network gives out, in $reply; empty where it gives out nothing.
fetch() {
  reply=
  ask "HSFETCH $1" || return 0
  while next 30; do
    case $answer in
    "650 HS_DESC RECEIVED $1 "*)
      ask "GETINFO hs/client/desc/id/$1" || reply=
      reply=$(sed -n '/^descriptor-signing-key-cert/,/^-----END/{/^[-d]/!p}' <<<"$reply" | tr -d '\n')
      return 0
      ;;
    "650 HS_DESC FAILED $1 "*) break ;;
    650*) event "$answer" ;;
    esac
  done
  reply=
}

this_period() { printf '%s' "$((($(date +%s) / 60 - 720) / 1440))"; }
uptime() { cut -d . -f 1 "${SEALED_ONION_UPTIME:-/proc/uptime}"; }

# look_at HOSTNAME: the first look after this tor has published shows what is its own; the later ones compare.
look_at() {
  local now
  now=$(this_period)
  due[$1]=$((SECONDS + look))
  fetch "${1%.onion}"
  if [[ -z $reply ]]; then
    standing[$1]=waiting
    due[$1]=$((SECONDS + settle))
  elif [[ -z ${signer[$1]} || ${period[$1]} != "$now" ]]; then
    signer[$1]=$reply period[$1]=$now standing[$1]=own
  elif [[ ${signer[$1]} == "$reply" ]]; then
    standing[$1]=own
  else
    standing[$1]=other
    if (($(uptime) > guard)); then return 0; fi
    printf '<4>sealed-onion: %s leads to the machine before: tor is restarted, to publish once more\n' "$1" >&2
    systemctl --no-block restart tor.service
  fi
}

write() {
  local hostname file=$state/descriptors.json now=''
  for hostname in "${!standing[@]}"; do now+="$hostname ${published[$hostname]:-} ${standing[$hostname]} "; done
  if [[ $now == "$written" ]]; then return 0; fi
  for hostname in "${!standing[@]}"; do
    jq --null-input --arg hostname "$hostname" --arg published "${published[$hostname]:-}" \
      --arg state "${standing[$hostname]}" '{($hostname): {
        published: (if $published == "" then null else $published end), $state}}'
  done | jq --slurp --compact-output 'add // {}' >"$file.new"
  mv "$file.new" "$file"
  # A new system is on trial, or `up` waits: the status is to say so at once, and not with the next look.
  if [[ " $now" == *" own "* && " $written" != *" own "* ]]; then
    systemctl --no-block restart write-status.service 2>/dev/null || true
  fi
  written=$now
}

# Tor tells how many introductions there were in its log alone, which it also hands out here.
count_visits() {
  counted=$SECONDS
  ask "GETINFO uptime" || return 0
  tor_uptime=$(sed -n 's/^uptime=\([0-9]*\)$/\1/p' <<<"$reply")
  ask "SIGNAL HEARTBEAT" || return 0
}

for hostname in "$@"; do standing[$hostname]=waiting; done
rm -f "$state/visits.json" # of the tor before
write
ask AUTHENTICATE || end "tor refuses its control socket: $reply"
events=HS_DESC
if ((count > 0)); then events+=' NOTICE'; fi
ask "SETEVENTS $events" || end "tor tells of no descriptors: $reply"
# What was published before this began is taken as published now; an upload that is still to come corrects it.
for hostname in "$@"; do
  if ask "GETINFO hs/service/desc/id/${hostname%.onion}" && [[ $reply == *superencrypted* ]]; then
    has_published "$hostname"
  fi
done
while :; do
  answer=
  if next 1 && [[ $answer == 650* ]]; then event "$answer"; fi
  if ((count > 0 && SECONDS - counted >= count)); then count_visits; fi
  for hostname in "${!due[@]}"; do
    if ((SECONDS >= due[$hostname])); then look_at "$hostname"; fi
  done
  write
done
