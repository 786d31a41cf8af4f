import * as fs from "node:fs";
import * as path from "node:path";
import type { Folders } from "../../folders";
import type { BootedReplica } from "./replica";

/** On the machine: what Key Vault answers its identity. Token and ciphertext come from pipes. */
const ASKS_FOR_KEY = `set -e
token=$(curl -sSf -H Metadata:true "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net&client_id=$1" | jq -r .access_token)
printf 'Authorization: Bearer %s\\n' "$token" |
  curl -sS -o /dev/null -w '%{http_code}' -H @- -H 'Content-Type: application/json' -d "$3" "$2"`;

interface SealedFile {
  readonly sops: {
    readonly azure_kv: readonly { vault_url: string; name: string; version: string; enc: string }[];
  };
}

/** Has a replica ask for its own onion key, and for the address's. @returns what is otherwise than it must be */
export async function wrongRights(
  { program }: Folders,
  { facts, machine, number }: BootedReplica,
): Promise<readonly string[]> {
  const stack = path.join(program, "nix", "stacks", "rehearsal");
  const wanted = [
    { file: `onion-replica-${number}.sops.json`, status: "200" },
    { file: "onion.sops.json", status: "403" },
  ];
  const problems: string[] = [];
  for (const { file, status } of wanted) {
    const { sops }: SealedFile = JSON.parse(fs.readFileSync(path.join(stack, file), "utf8"));
    const [key] = sops.azure_kv;
    if (key === undefined) throw new Error(`${file} is not sealed by a vault`);
    const url = `${key.vault_url.replace(/\/$/, "")}/keys/${key.name}/${key.version}/decrypt?api-version=7.4`;
    const body = JSON.stringify({ alg: "RSA-OAEP-256", value: key.enc });
    const got = await machine.run("sh", ["-c", ASKS_FOR_KEY, "sh", facts.identity.clientId, url, body]);
    if (got.trim() !== status) problems.push(`replica-${number} is answered ${got} for ${file}, must be ${status}`);
  }
  return problems;
}
