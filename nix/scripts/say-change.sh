# shellcheck shell=bash
# Says one line: on the console where it is another than what was said last, in the journal alone where it is the same.
#   say-change FILE LINE
# FILE, in memory, keeps what was said last. A program that looks each half minute, or tries again, says one line a change.
# The shell does it all by itself: at each boot the secrets' consumers wait for the line.
shopt -s extglob
file=$1
# One line of bounded length, whatever is in it.
line=${2//+([[:cntrl:][:space:]])/ }
line=${line:0:600}
[[ -d ${file%/*} ]] || (umask 0077 && mkdir -p "${file%/*}")
# Two lines that differ in how long something took, or in the number of a request, say the same.
same=${line// after +([0-9]) m@(s|illiseconds)/}
same=${same%% Trace ID:*}
# "<2>" is the journal's level "critical", which this machine also shows on its console: all that an operator without a
# shell sees. "<6>" is "informational".
level=2
if [[ -e $file && $(<"$file") == "$same" ]]; then level=6; fi
printf '%s\n' "$same" >"$file"
printf '<%s>sealed-onion: %s\n' "$level" "$line" >&2
