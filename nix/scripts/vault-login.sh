# shellcheck shell=bash
# Logs in to a Vault with this machine's managed identity, for an agent that cannot do it itself:  vault-login FOLDER
# https://developer.hashicorp.com/vault/api-docs/auth/azure#login
#
# FOLDER, in memory, gets `login-token` (0600), which the agent reads, and `login-lease`: when the token was given and for
# how many seconds. The agent renews the token that it has taken, as long as its role allows. From half of the first lease
# on this puts a new one in place, so that a good one is there when the agent's comes to its end.
#
# Environment: SEALED_ONION_VAULT_ADDRESS, _MOUNT, _ROLE, _RESOURCE, and if need be _CLIENT_ID and _CA.
# No token is ever an argument or lies on a disk: they go from program to program by pipes.
token=$1/login-token
lease=$1/login-lease
said=$1/login-said
method=$SEALED_ONION_VAULT_ADDRESS/v1/auth/$SEALED_ONION_VAULT_MOUNT
# curl reads the proxy for http:// in small letters only.
export http_proxy=${http_proxy:-${HTTP_PROXY:-}}
umask 0077

refuse() {
  say-change "$said" "no login at $method: $1"
  exit 1
}

# ask ARGUMENTS...: the answer of a server, then a line with its status and, without one, curl's reason.
ask() { curl --silent --max-time 8 --write-out '\n%{http_code} %{errormsg}' "$@" || true; }
body() { printf '%s' "${1%$'\n'*}"; }
status() { printf '%s' "${1##*$'\n'}"; }

ask_metadata() { ask --header "Metadata: true" --get "${@:2}" "http://169.254.169.254/metadata/$1"; }

ask_vault() {
  ask --header "X-Vault-Request: true" ${SEALED_ONION_VAULT_CA:+--cacert "$SEALED_ONION_VAULT_CA"} "$@"
}

# field ANSWER FILTER: empty where the answer is none of that form, such as a gateway's page.
field() { body "$1" | jq --raw-output "$2" 2>/dev/null || true; }

# reason ANSWER: in one line, from any of the services.
reason() {
  local said
  said=$(field "$1" '[.errors[]?, .error_description?] | map(strings) | join("; ") | gsub("\\s+"; " ") | .[:300]')
  said=${said:-status $(status "$1")}
  printf '%s' "${said% }"
}

# Whether more than half of the lease lies before the token in place, and Vault has not revoked it.
in_place() {
  local given seconds age answer
  if [[ ! -e $token || ! -e $lease ]]; then return 1; fi
  read -r given seconds <"$lease"
  age=$((EPOCHSECONDS - given))
  if ((age < 0 || 2 * age >= seconds)); then return 1; fi # a clock that was set back counts as too old
  answer=$(printf 'header = "X-Vault-Token: %s"\n' "$(<"$token")" |
    ask_vault --config - "$SEALED_ONION_VAULT_ADDRESS/v1/auth/token/lookup-self")
  [[ $(status "$answer") != 403* ]]
}

if in_place; then exit 0; fi

identity=$(ask_metadata "identity/oauth2/token?api-version=2018-02-01" \
  --data-urlencode "resource=$SEALED_ONION_VAULT_RESOURCE" \
  ${SEALED_ONION_VAULT_CLIENT_ID:+--data-urlencode "client_id=$SEALED_ONION_VAULT_CLIENT_ID"})
if [[ $(field "$identity" 'has("access_token")') != true ]]; then
  refuse "the metadata service gives no token: $(reason "$identity")"
fi
machine=$(ask_metadata "instance/compute?api-version=2021-02-01&format=json")
if [[ $(field "$machine" 'has("name")') != true ]]; then
  refuse "the metadata service does not say which machine this is: $(reason "$machine")"
fi

given=$EPOCHSECONDS
answer=$({ body "$identity" && body "$machine"; } |
  jq --slurp --arg role "$SEALED_ONION_VAULT_ROLE" '{role: $role, jwt: .[0].access_token} + (.[1] | {
    subscription_id: .subscriptionId, resource_group_name: .resourceGroupName,
    vm_name: .name, vmss_name: (.vmScaleSetName // "")})' |
  ask_vault --data @- "$method/login")
# Nothing that could end the quotes in which it goes to curl.
field "$answer" '.auth.client_token | strings | select(test("^[\\w.-]+$"))' >"$token.new"
if [[ ! -s $token.new ]]; then
  rm "$token.new"
  refuse "$(reason "$answer")"
fi
say-change "$said" "logged in at $method"
mv "$token.new" "$token"
printf '%s %s\n' "$given" "$(field "$answer" .auth.lease_duration)" >"$lease"
