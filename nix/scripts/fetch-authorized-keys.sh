# shellcheck shell=bash
# Writes the SSH keys that Azure was given for this machine into one file:  fetch-authorized-keys FILE
# https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service (compute/publicKeys)
file=$1
# curl reads the proxy for http:// in small letters only.
export http_proxy=${http_proxy:-${HTTP_PROXY:-}}

keys=$(curl --silent --show-error --fail --max-time 20 --header "Metadata: true" \
  "http://169.254.169.254/metadata/instance/compute/publicKeys?api-version=2021-02-01&format=json" |
  # One key a line, without options: a line that is anything else could say more than "this key may log in".
  jq --raw-output '.[].keyData | gsub("[\r\n]+"; "")
    | select(test("^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh.com) [A-Za-z0-9+/=]+( [^\"]*)?$"))')
if [[ -z $keys ]]; then
  printf '<4>sealed-onion: Azure knows no SSH key for this machine: nobody can log in\n' >&2
fi
printf '%s\n' "$keys" >"$file.new"
chmod 0644 "$file.new" # sshd reads it as the user who logs in
mv "$file.new" "$file"
