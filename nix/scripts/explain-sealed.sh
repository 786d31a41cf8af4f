# shellcheck shell=bash
# Prints in one line why Azure opens no secret here and what to do about it; nothing where Azure is willing.
#
# sops keeps Key Vault's answer to itself ("0 successful groups required, got 0"), so the two requests it makes are made
# here once more: a token from the metadata service, then a decryption that cannot succeed, whose error tells.
#
# Environment: SEALED_ONION_KEY_URL, AZURE_CLIENT_ID (optional), and the proxies that curl knows. A token stays in memory:
# never an argument, never a file.
key=$SEALED_ONION_KEY_URL
host=${key#https://}
host=${host%%/*}
identity=${AZURE_CLIENT_ID:-"of this machine"}
# curl reads the proxy for http:// in small letters only.
export http_proxy=${http_proxy:-${HTTP_PROXY:-}}

say() {
  # One line of bounded length, whatever the other side answered.
  printf '%s' "$1" | tr -s '[:cntrl:][:space:]' ' ' | cut -c 1-500
  exit 0
}

# request ARGUMENTS...: the body in $body, the HTTP status in $status (000: no answer), curl's reason in $reason.
request() {
  local answer
  answer=$(curl --silent --show-error --max-time 8 --write-out '\n%{http_code}' "$@" 2>&1) || true
  status=${answer##*$'\n'}
  body=${answer%$'\n'*}
  reason=${body##*curl: }
}

field() { jq --raw-output "$1 // empty" <<<"$body" 2>/dev/null || true; }

# What vaults' names end in is whom their tokens are for, in each of Azure's clouds.
arguments=(--get --header "Metadata: true" --data-urlencode "resource=https://${host#*.}")
if [[ -n ${AZURE_CLIENT_ID:-} ]]; then arguments+=(--data-urlencode "client_id=$AZURE_CLIENT_ID"); fi
request "${arguments[@]}" "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
case $status in
200) ;;
000) say "the metadata service at 169.254.169.254 does not answer ($reason): is the network up, and is this a machine in Azure?" ;;
400) say "Azure gives no token to identity $identity (HTTP 400: $(field .error_description)): attach that user-assigned identity to this machine" ;;
*) say "Azure gives no token to identity $identity (HTTP $status: $(field .error_description)): it is asked again" ;;
esac
token=$(field .access_token)

# "AA" is no ciphertext: a caller who may decrypt gets 400, one who may not gets 403 before that.
request --request POST --header "Content-Type: application/json" --data '{"alg":"RSA-OAEP-256","value":"AA"}' \
  --config <(printf 'header = "Authorization: Bearer %s"\n' "$token") "$key/decrypt?api-version=7.4"
code=$(field '.error.innererror.code // .error.code')
case $status in
000) say "$host cannot be reached ($reason): allow outbound HTTPS, and check the vault's firewall" ;;
400) ;;
401) say "$host does not accept the token of identity $identity (HTTP 401 $code): vault and identity must be of one tenant" ;;
403) say "identity $identity may not decrypt with $key (HTTP 403 $code): give it the key permission 'decrypt', and see that the key is enabled" ;;
404) say "$host has no such key (HTTP 404 $code): recover $key, or seal again with the key that is there" ;;
429 | 5??) say "$host is busy or down (HTTP $status $code): it is asked again" ;;
*) say "$host answers HTTP $status $code: $(field .error.message)" ;;
esac
