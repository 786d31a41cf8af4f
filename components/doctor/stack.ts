import * as fs from "node:fs";
import { type Existing, hasOwnEndpoints } from "../azure/existing/existing";
import { readStackFile, type StackFile } from "../config/stack-file";
import type { Finding } from "./finding";

/** The names of the stacks that have a configuration file. */
export function stackFiles(): string[] {
  const names = fs.readdirSync(".").map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1]);
  return names.filter((name) => name !== undefined);
}

/** What a stack's configuration lacks. */
export function examineStack(stack: string | undefined): Finding[] {
  if (stack === undefined) {
    const found = "none is selected";
    return [{ name: "stack", state: "missing", found, type: "pulumi stack init dev, or pulumi stack select dev" }];
  }
  if (!stackFiles().includes(stack)) {
    const found = `${stack} has no Pulumi.${stack}.yaml`;
    return [{ name: "stack", state: "missing", found, type: `pulumi stack init ${stack}` }];
  }
  const file = readStackFile(stack);
  return [
    { name: "stack", state: "ok", found: stack },
    checkPassphrase(file),
    checkDials(stack, file),
    checkRecipients(file),
  ];
}

function checkPassphrase({ hasPassphrase }: StackFile): Finding {
  const name = "passphrase";
  const { PULUMI_CONFIG_PASSPHRASE: given, PULUMI_CONFIG_PASSPHRASE_FILE: file } = process.env;
  if (!hasPassphrase) return { name, state: "ok", found: "none is needed by this stack's file" };
  if (given !== undefined) return { name, state: "ok", found: "PULUMI_CONFIG_PASSPHRASE" };
  if (file === undefined) {
    const type = "export PULUMI_CONFIG_PASSPHRASE_FILE=FILE";
    return { name, state: "missing", found: "this stack's secret values are encrypted with one", type };
  }
  if (fs.existsSync(file)) return { name, state: "ok", found: "PULUMI_CONFIG_PASSPHRASE_FILE" };
  const type = "export PULUMI_CONFIG_PASSPHRASE_FILE=FILE";
  return { name, state: "missing", found: `${file} of PULUMI_CONFIG_PASSPHRASE_FILE does not exist`, type };
}

/** Without a default: `up` refuses without them. What is typed after `pulumi config set`. */
const REQUIRED = {
  "azure-native:location": "azure-native:location westeurope",
  "sealed-onion:sshPublicKey": 'sealed-onion:sshPublicKey "$(cat ~/.ssh/id_ed25519.pub)"',
  "sealed-onion:secrets": "--path 'sealed-onion:secrets.onion-key.source.onion.prefix' ''",
};

/** What `production` asks for besides. */
function asksOf({ structure, value }: StackFile): Readonly<Record<string, string>> {
  if (`${value("sealed-onion:production")}` !== "true") return {};
  const sealers = { "sealed-onion:sealers": "--path 'sealed-onion:sealers[0]' OBJECT-ID" };
  if (!hasOwnEndpoints((structure("sealed-onion:existing") ?? {}) as Existing)) return sealers;
  return { ...sealers, "sealed-onion:network": "--path 'sealed-onion:network.allow[0]' YOUR-ADDRESS" };
}

function checkDials(stack: string, file: StackFile): Finding {
  const { structure, value } = file;
  const name = "configuration";
  const isText = (key: string) => key === "azure-native:location" || key === "sealed-onion:sshPublicKey";
  const isSet = (key: string) => (isText(key) ? Boolean(value(key)) : Object.keys(structure(key) ?? {}).length > 0);
  const missing = Object.entries({ ...REQUIRED, ...asksOf(file) }).filter(([key]) => !isSet(key));
  if (missing.length === 0) return { name, state: "ok", found: `Pulumi.${stack}.yaml has what has no default` };
  const type = missing.map(([, words]) => `pulumi config set --stack ${stack} ${words}`).join("; ");
  return { name, state: "missing", found: `${missing.map(([key]) => key).join(" and ")} not set`, type };
}

function checkRecipients({ structure }: StackFile): Finding {
  const name = "recoverable by";
  const { age = [], pgp = [] } = (structure("sealed-onion:recipients") ?? {}) as { age?: string[]; pgp?: string[] };
  const others = age.length + pgp.length;
  if (others > 0) return { name, state: "ok", found: `vault and ${others} offline key${others === 1 ? "" : "s"}` };
  const type = `age-keygen -o key.txt, keep it offline, and pulumi config set --path 'sealed-onion:recipients.age[0]' "$(age-keygen -y key.txt)"`;
  return { name, state: "warning", found: "vault only: if it is lost, so is every secret", type };
}
