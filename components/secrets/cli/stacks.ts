import * as fs from "node:fs";
import { actAsAt } from "../../azure/login-in-use";
import { stackSettings } from "../../azure/stack-settings";
import { chooseStack } from "../../command-line/selected-stack";
import { NAMESPACE } from "../../config/fields";
import { readStackFacts } from "../../config/stack-facts";
import { readStackFile } from "../../config/stack-file";
import { foldersOfStacks, stackFolder } from "../../config/stack-folder";
import { withOwnSecrets } from "../own-secrets";
import { parseRecipients, type Recipients } from "../recipients";
import { readRecord, recordPath, type SealRecord } from "../seal/seal-record";
import { parseSecrets, type SecretDeclaration } from "../secret";
import { readFleetKeys } from "./fleet-keys";

/** What the secrets command knows of a stack, without Pulumi. */
export interface Stack {
  readonly name: string;
  /** The keys of its replicas among them, which `pulumi up` declares. */
  readonly declarations: readonly SecretDeclaration[];
  /** Names of those. */
  readonly replicaKeys: readonly string[];
  readonly recipients: Recipients;
  /** The key that seals a secret, as the last `pulumi up` had it; undefined before the first one. */
  readonly keyUrlOf: (secret: string) => string | undefined;
  /** The records in its folder, by secret; those whose declaration is gone as well. */
  readonly records: ReadonlyMap<string, SealRecord>;
}

/** The names of all stacks: each has a configuration file, or a folder of sealed files. */
export function stackNames(): string[] {
  const configured = fs.readdirSync(".").map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1]);
  return [...new Set([...configured, ...foldersOfStacks()])].filter((name) => name !== undefined).sort();
}

/** The stack that is meant, or undefined for all: none is named or selected. @throws UsageError if there is no such stack */
export function meantStack(wanted: string | undefined): Promise<string | undefined> {
  return chooseStack(wanted, stackNames());
}

/** @throws MalformedError with one line for each problem of its configuration */
export function readStack(name: string): Stack {
  const config = readConfiguration(name);
  const secrets = config("secrets");
  const isEmpty = typeof secrets !== "object" || secrets === null || Object.keys(secrets).length === 0;
  const records = readRecords(name);
  const { addresses, keyUrl: frontEndKeyUrl, replicas } = readFleetKeys(name);
  const keyUrl = readStackFacts(name)?.vault?.keyUrl ?? [...records.values()][0]?.keyUrl;
  // As the provider of this stack, which its configuration may name.
  if (keyUrl) actAsAt(new URL(keyUrl).host, () => stackSettings(name, readStackFile(name).value, process.env));
  return {
    name,
    declarations: [...(isEmpty ? [] : parseSecrets(withOwnSecrets(secrets, config))), ...replicas],
    replicaKeys: replicas.map((replica) => replica.name),
    recipients: parseRecipients({ path: "recipients", value: config("recipients") ?? {} }),
    keyUrlOf: (secret) => (addresses.includes(secret) ? frontEndKeyUrl : keyUrl),
    records,
  };
}

/** The value of a key of this program. */
function readConfiguration(stack: string): (key: string) => unknown {
  const file = readStackFile(stack);
  return (key) => file.structure(`${NAMESPACE}:${key}`);
}

function readRecords(stack: string): Map<string, SealRecord> {
  const folder = stackFolder(stack);
  const files = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const names = files.map((file) => /^(.+)\.(?:seal|sops)\.json$/.exec(file)?.[1]).filter((name) => name !== undefined);
  const found = [...new Set(names)].sort().map((name) => [name, readRecord(recordPath(stack, name))] as const);
  return new Map(found.filter((entry): entry is [string, SealRecord] => entry[1] !== undefined));
}
