import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { previewComment } from "../../../components/preview/comment";
import { refuseSecrets } from "../../../components/preview/guard";
import { readPlan } from "../../../components/preview/plan";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

type Values = Record<string, unknown>;

interface Change {
  op: string;
  type: string;
  name: string;
  old?: Values;
  next?: Values;
  changed?: string[];
}

/** The output of `pulumi preview --json`, as far as it is read. */
function plan(changes: Change[], diagnostics: { severity: string; message: string }[] = []): string {
  const steps = changes.map(({ op, type, name, old, next, changed = [] }) => ({
    op,
    urn: `urn:pulumi:dev::sealed-onion::${type}::${name}`,
    ...(old && { oldState: { inputs: old } }),
    ...(next && { newState: { inputs: next } }),
    detailedDiff: Object.fromEntries(changed.map((path) => [path, { kind: "update", inputDiff: true }])),
  }));
  return JSON.stringify({ steps, diagnostics, changeSummary: { same: 3 } });
}

const SEAL = "sealed-onion:index:SealedSecret$command:local:Command";
const BUILD = "sealed-onion:index:NixosImage$command:local:Command";
const IMAGE = "sealed-onion:index:NixosImage$azure-native:compute:Image";
const VM = "sealed-onion:index:OnionVm$azure-native:compute:VirtualMachine";

function sealEnvironment(change: Values = {}): Values {
  const SOURCE = '{"file":"secrets/token"}';
  const RECIPIENTS = '{"age":["age1a"],"pgp":[]}';
  const environment = { SECRET: "token", SOURCE, RECIPIENTS, GENERATION: "1", KIND: "", FINGERPRINT: "file:1" };
  return { environment: { ...environment, KEY_URL: "https://v/keys/k/1", ...change } };
}

function seal(change: Values, before: Values = {}): Change {
  const old = sealEnvironment(before);
  const next = sealEnvironment({ ...before, ...change });
  const changed = Object.keys(change).map((name) => `environment.${name}`);
  return { op: "update", type: SEAL, name: "token-seal", old, next, changed };
}

function row(changes: Change[]): string | undefined {
  const lines = previewComment(readPlan(plan(changes))).split("\n");
  return lines.find((line) => line.startsWith("| `"));
}

const onion = { SOURCE: '{"onion":{}}', SECRET: "onion" };

describe("a secret in the comment", () => {
  it("is left out where its command alone changes, as after an update of this program", () => {
    expect(row([{ ...seal({}), changed: ["stdin"] }])).toBeUndefined();
  });

  it.each([
    ["other content", seal({ FINGERPRINT: "file:2" }), "| `token` | seal again | its content changed |"],
    [
      "another source",
      seal({ SOURCE: '{"env":"T"}', FINGERPRINT: "env:2" }),
      "| `token` | seal again | another source |",
    ],
    [
      "a new generation",
      seal({ GENERATION: "2", FINGERPRINT: "onion:2" }, onion),
      "| `onion` | seal again | generation 1 → 2 |",
    ],
    [
      "two more recipients",
      seal({ RECIPIENTS: '{"age":["age1a","age1b"],"pgp":["F"]}' }),
      "| `token` | re-wrap | 2 more recipients (`age1b`, `F`) |",
    ],
    [
      "one fewer recipient",
      seal({ RECIPIENTS: '{"age":[],"pgp":[]}' }),
      "| `token` | re-wrap | 1 fewer recipient (`age1a`) |",
    ],
    [
      "another recipient",
      seal({ RECIPIENTS: '{"age":["age1b"],"pgp":[]}' }),
      "| `token` | re-wrap | 1 more recipient (`age1b`), 1 fewer recipient (`age1a`) |",
    ],
    [
      "a key that is yet to be made",
      seal({ KEY_URL: UNKNOWN }),
      "| `token` | re-wrap | another key, or another version of it |",
    ],
    [
      "another key version",
      seal({ KEY_URL: "https://v/keys/k/2" }),
      "| `token` | re-wrap | another version of the vault's key |",
    ],
    [
      "the key of another vault",
      seal({ KEY_URL: "https://w/keys/k/1" }),
      "| `token` | re-wrap | the key of another vault, w |",
    ],
    ["another name", seal({ SECRET: "api-token", FROM: "token" }), "| `api-token` | renamed | was token |"],
    [
      "its first time",
      { op: "create", type: SEAL, name: "token-seal", next: sealEnvironment() },
      "| `token` | new | sealed for the first time |",
    ],
    [
      "its first time, an onion key",
      { op: "create", type: SEAL, name: "onion-seal", next: sealEnvironment(onion) },
      "| `onion` | new | a new onion key |",
    ],
    [
      "no declaration any more",
      { op: "delete", type: SEAL, name: "token-seal", old: sealEnvironment() },
      "| `token` | removed | no longer declared |",
    ],
  ] as [string, Change, string][])("%s", (_, change, expected) => {
    expect(row([change])).toBe(expected);
  });

  it("names recipients by the ends of their keys, as nobody compares whole ones", () => {
    const age = [
      `age1${"q".repeat(20)}${"z".repeat(30)}xyz`,
      `ssh-ed25519 AAAAC3${"N".repeat(60)}abcdefghijkl me@home`,
    ];
    expect(row([seal({ RECIPIENTS: JSON.stringify({ age: ["age1a", ...age], pgp: [] }) })])).toBe(
      "| `token` | re-wrap | 2 more recipients (`age1qqqq…zzzzzzzzzxyz`, `ssh-ed25519 …abcdefghijkl`) |",
    );
  });

  it("is explained where a word is not everybody's", () => {
    const comment = previewComment(readPlan(plan([seal({ FINGERPRINT: "file:2" })])));
    expect(comment).toContain("*Seal again*: its source is read");
    expect(comment).not.toContain("*Re-wrap*");
  });

  it("is not mentioned where nothing happens to it", () => {
    expect(
      row([{ op: "same", type: SEAL, name: "token-seal", old: sealEnvironment(), next: sealEnvironment() }]),
    ).toBeUndefined();
  });

  it("warns where an onion address goes or changes", () => {
    const removed = plan([{ op: "delete", type: SEAL, name: "onion-seal", old: sealEnvironment(onion) }]);
    expect(previewComment(readPlan(removed))).toContain(
      "> ⚠️ the sealed file of onion key `onion` goes: only git still has it",
    );
    const renewed = plan([seal({ GENERATION: "2" }, onion)]);
    expect(previewComment(readPlan(renewed))).toContain("> ⚠️ `onion` gets a new onion address: the old one is gone");
  });
});

describe("image and VM in the comment", () => {
  function build(change: Values): Change {
    const old = { environment: { NIX_DIGEST: "1", FACTS: "{}", SEALED: "{}" } };
    const next = { environment: { ...old.environment, ...change } };
    const changed = Object.keys(change).map((name) => `environment.${name}`);
    return { op: "update", type: BUILD, name: "image-build", old, next, changed };
  }

  it.each([
    [
      "the guest",
      [build({ NIX_DIGEST: "2" })],
      "**Image:** built, uploaded and published again, because of the guest's configuration (`nix/`).  ",
    ],
    [
      "a secret, which hides what the facts will be",
      [seal({ FINGERPRINT: "file:2" }), build({ SEALED: UNKNOWN, FACTS: UNKNOWN })],
      "**Image:** built, uploaded and published again, because of sealed secrets.  ",
    ],
    [
      "facts that are known",
      [build({ FACTS: '{"a":1}' })],
      "**Image:** built, uploaded and published again, because of facts about the stack (`facts.json`).  ",
    ],
    [
      "the guest, whose name is then known",
      [
        build({ NIX_DIGEST: "2" }),
        { op: "replace", type: IMAGE, name: "image-image", old: { imageName: "dev-1" }, next: { imageName: "dev-2" } },
      ],
      "**Image:** built, uploaded and published again as `dev-2`, because of the guest's configuration (`nix/`).  ",
    ],
    [
      "what a disk that was built elsewhere cannot have",
      [seal({ FINGERPRINT: "file:2" }), build({ SEALED: UNKNOWN, BUILDER: "vhd:disk.vhd" })],
      "**Image:** not built by `up`: the disk of `image.vhd` is held against what is declared, and `up` stops there if it is older.  ",
    ],
    [
      "another disk that was built elsewhere",
      [
        build({ BUILDER: "vhd:disk.vhd" }),
        { op: "replace", type: IMAGE, name: "image-image", old: { imageName: "dev-1" }, next: { imageName: "dev-2" } },
      ],
      "**Image:** taken from the disk of `image.vhd` as `dev-2`.  ",
    ],
    ["nothing", [], "**Image:** unchanged: neither built nor uploaded.  "],
  ] as [string, Change[], string][])("a new image for %s", (_, changes, expected) => {
    expect(previewComment(readPlan(plan(changes)))).toContain(expected);
  });

  function machine(op: string, size: string, changed: string[]): Change {
    const of = (vmSize: string) => ({ hardwareProfile: { vmSize }, storageProfile: { osDisk: {} } });
    return { op, type: VM, name: "vm-machine", old: of("Standard_B2s"), next: of(size), changed };
  }

  const dataDisks = [{ lun: 0, managedDisk: { id: "/subscriptions/0/disks/data" } }];

  function withDataDisk({ next, ...change }: Change): Change {
    return { ...change, next: { ...next, storageProfile: { osDisk: {}, dataDisks } } };
  }

  it.each<[string, Change[], string | undefined]>([
    ["is attached for the first time", [dataDisk("create")], undefined],
    ["grows", [dataDisk("update")], undefined],
    [
      "is no longer declared",
      [dataDisk("delete")],
      "the data disk is let go of: it stays in the resource group, and costs, until it or the group is deleted",
    ],
    [
      "stays behind as the stack moves",
      [dataDisk("create", "vm-dev-northeurope-data"), dataDisk("delete")],
      "the machine gets a new, empty data disk: what is on the old one stays there, and goes with the old resource group",
    ],
    [
      "would be another one",
      [dataDisk("replace")],
      "the data disk would be another one, which Azure refuses while the one of that name is there",
    ],
  ])("a data disk that %s", (_, changes, alarm) => {
    const comment = previewComment(readPlan(plan(changes)));
    expect(comment.includes("> ⚠️")).toBe(alarm !== undefined);
    expect(comment).toContain(alarm === undefined ? "" : `> ⚠️ ${alarm}`);
  });

  function dataDisk(op: string, name = "vm-dev-westeurope-data"): Change {
    const of = (diskSizeGB: number) => ({ diskSizeGB, sku: { name: "StandardSSD_LRS" } });
    const disk = { op, type: "azure-native:compute:Disk", name, old: of(32), next: of(64), changed: ["diskSizeGB"] };
    return { ...disk, ...(op === "create" && { old: {} }), ...(op === "delete" && { next: {} }) };
  }

  it.each([
    [
      machine("replace", "Standard_B2s", [
        "storageProfile.imageReference.id",
        "vmName",
        "networkProfile.networkInterfaces[0].id",
      ]),
      "The service is away for seconds at most.",
      "replaced, because of another image: the new one is made first",
    ],
    [
      machine("replace", "Standard_B2s", ["osProfile.adminUsername"]),
      "The service is away for seconds at most.",
      "replaced, because of `osProfile.adminUsername`: the new one is made first",
    ],
    [
      machine("update", "Standard_B2ms", ["hardwareProfile.vmSize"]),
      "The service is away for about 2 to 4 minutes.",
      "resized, with a restart: Standard_B2s → Standard_B2ms",
    ],
    [
      machine("replace", "Standard_B2ms", ["hardwareProfile.vmSize", "storageProfile.imageReference.id"]),
      "The service is away for seconds at most.",
      "replaced, because of another image, another size (Standard_B2s → Standard_B2ms): the new one is made first",
    ],
    [
      withDataDisk(machine("replace", "Standard_B2s", ["storageProfile.imageReference.id"])),
      "The service is away for about 4 to 7 minutes, and for longer if Azure refuses the new one.",
      "replaced, because of another image: the old one goes first, as the data disk belongs to one machine",
    ],
    [machine("update", "Standard_B2s", ["tags"]), "The service stays up.", "changed in place: `tags`"],
    [{ ...machine("create", "Standard_B2s", []), old: {} }, "The service starts.", "made"],
    [{ ...machine("delete", "Standard_B2s", []), next: {} }, "The service ends.", "goes, and with it the service"],
  ] as [Change, string, string][])("the VM: %#", (change, headline, machineLine) => {
    const comment = previewComment(readPlan(plan([change])));
    expect(comment).toContain(headline);
    expect(comment).toContain(`**VM:** ${machineLine}`);
  });

  it("says what a dial costs, and that it does not know", () => {
    const bigger = previewComment(readPlan(plan([machine("update", "Standard_B2ms", ["hardwareProfile.vmSize"])])));
    expect(bigger).toContain("**Costs:** about +35 USD a month (VM, Standard_B2s → Standard_B2ms: 35 → 70).");
    const unknown = previewComment(readPlan(plan([machine("update", "Standard_M128", ["hardwareProfile.vmSize"])])));
    expect(unknown).toContain("**Costs:** not all in our table (?) (VM, Standard_B2s → Standard_M128: 35 → ?).");
    const same = previewComment(
      readPlan(plan([machine("replace", "Standard_B2s", ["storageProfile.imageReference.id"])])),
    );
    expect(same).toContain("**Costs:** no dial that costs is turned.");
  });

  it("stops a reviewer where the vault or its key goes, and passes warnings on", () => {
    const type = "sealed-onion:index:SealingVault$azure-native:keyvault:Key";
    const message = "warning: a policy was removed\n";
    const noise = { severity: "warning", message: "warning: using pulumi-resource-random from $PATH at here" };
    const text = plan([{ op: "delete", type, name: "vault-key", old: {} }], [{ severity: "warning", message }, noise]);
    const comment = previewComment(readPlan(text));
    expect(comment).toContain(
      "> ⚠️ `vault-key` is deleted: what only it opens, in git or in an older commit, cannot be opened after that",
    );
    expect(comment).toContain("> ⚠️ a policy was removed");
    expect(comment).not.toContain("pulumi-resource");
  });
});

describe("who reaches what", () => {
  const FACTS = {
    vault: { uri: "https://v.vault.azure.net/", keyUrl: "https://v.vault.azure.net/keys/k/1" },
    services: { web: { hostname: "a.onion", ports: { "80": "site" }, clientAuthorization: ["alice"], ssh: false } },
    secrets: { token: { path: "/run/secrets/token", owner: "web", group: "web", mode: "0400" } },
    guest: { adminUser: "operator", bootAgent: { sshKeys: false } },
  };
  const facts = (value: unknown) => ({
    environment: { FACTS: typeof value === "string" ? value : JSON.stringify(value) },
  });
  const web = (change: Values) => ({ ...FACTS, services: { web: { ...FACTS.services.web, ...change } } });
  const built = (next: unknown): Change => {
    const changed = ["environment.FACTS"];
    return { op: "update", type: BUILD, name: "image-build", old: facts(FACTS), next: facts(next), changed };
  };
  const login = (keyData: string) => ({ osProfile: { linuxConfiguration: { ssh: { publicKeys: [{ keyData }] } } } });
  const policy = (objectId: string, ...keys: string[]) => ({ policy: { objectId, permissions: { keys } } });
  const POLICY = "sealed-onion:index:SealingVault$azure-native:keyvault:AccessPolicy";

  it.each<[title: string, change: Change, row: string]>([
    ["another address", built(web({ hostname: "b.onion" })), "| address of `web` | a.onion | b.onion |"],
    [
      "a port sent elsewhere",
      built(web({ ports: { "80": "127.0.0.1:9" } })),
      "| `web`, port 80 | site | 127.0.0.1:9 |",
    ],
    ["a new port", built(web({ ports: { "80": "site", "22": "x" } })), "| `web`, port 22 | — | x |"],
    ["ssh", built(web({ ssh: true })), "| `web`, ssh | off | on |"],
    [
      "a service for everybody",
      built(web({ clientAuthorization: [] })),
      "| who may visit `web` | alice | everybody with its address |",
    ],
    [
      "another operator",
      built({ ...FACTS, guest: { ...FACTS.guest, adminUser: "mallory" } }),
      "| operator | operator | mallory |",
    ],
    [
      "a secret for others",
      built({ ...FACTS, secrets: { token: { ...FACTS.secrets.token, owner: "app" } } }),
      "| who reads secret `token` on the machine | web:web 0400, /run/secrets/token | app:web 0400, /run/secrets/token |",
    ],
    [
      "another key",
      built({ ...FACTS, vault: { ...FACTS.vault, keyUrl: "https://v.vault.azure.net/keys/k/2" } }),
      "| key | https://v.vault.azure.net/keys/k/1 | https://v.vault.azure.net/keys/k/2 |",
    ],
    [
      "another SSH key",
      {
        op: "replace",
        type: VM,
        name: "vm-machine",
        old: login("ssh-ed25519 AAAAaaaaaaaaaaaa me"),
        next: login("ssh-ed25519 AAAAbbbbbbbbbbbb me"),
      },
      "| SSH keys of the operator | `ssh-ed25519 …aaaaaaaaaaaa` | `ssh-ed25519 …bbbbbbbbbbbb` |",
    ],
    [
      "one more sealer",
      { op: "create", type: POLICY, name: "vault-sealer-b-policy", next: policy("b", "get", "decrypt") },
      "| rights of `b` on the key | — | get, decrypt |",
    ],
    [
      "more rights",
      {
        op: "update",
        type: POLICY,
        name: "vault-machine-policy",
        old: policy("m", "decrypt"),
        next: policy("m", "decrypt", "sign"),
      },
      "| rights of the machine on the key | decrypt | decrypt, sign |",
    ],
  ])("%s", (_, change, row) => {
    const lines = previewComment(readPlan(plan([change]))).split("\n");
    const table = lines.indexOf("| who reaches what | before | after |");
    expect(lines.slice(table + 2, lines.indexOf("", table))).toEqual([row]);
    expect(lines.findIndex((line) => line.startsWith("**Image"))).toBeGreaterThan(table);
  });

  it("says that only up will tell, where facts are not known yet, and claims nothing", () => {
    const comment = previewComment(readPlan(plan([built(UNKNOWN)])));
    expect(comment).toContain("**Known only after `pulumi up`:** addresses, key, ports");
    expect(comment).not.toContain("stay as they are.\n\n**Image");
  });

  it("names a sealed file that nothing seals and that is another one: swapped or rolled back", () => {
    const files = (onion: string) => ({ environment: { SEALED: JSON.stringify({ onion, token: "1" }) } });
    const changed = ["environment.SEALED"];
    const swap: Change = { op: "update", type: BUILD, name: "image-build", old: files("1"), next: files("2"), changed };
    const comment = previewComment(readPlan(plan([swap])));
    expect(comment).toContain("> ⚠️ the sealed file of `onion` is not the one that was deployed");
    expect(comment).toContain("| `onion` | other file | its file in git is another one than was deployed");
    const data = (onion: string) => ({
      userData: Buffer.from(JSON.stringify({ version: 1, secrets: { onion: { data: onion } } })).toString("base64"),
    });
    const sent: Change = { op: "update", type: VM, name: "vm-machine", old: data("1"), next: data("2") };
    expect(previewComment(readPlan(plan([sent])))).toContain("| `onion` | other file |");
  });

  it("tells a move: the new machine is made first, and the vault that goes is warned of", () => {
    const where = (location: string) => ({ location, hardwareProfile: { vmSize: "Standard_B2s" } });
    const VAULT = "sealed-onion:index:SealingVault$azure-native:keyvault:Vault";
    const comment = previewComment(
      readPlan(
        plan([
          { op: "delete", type: VM, name: "vm-dev-westeurope-machine", old: where("westeurope") },
          { op: "create", type: VM, name: "vm-dev-northeurope-machine", next: where("northeurope") },
          { op: "delete", type: VAULT, name: "vault-dev-westeurope-vault", old: {} },
        ]),
      ),
    );
    expect(comment).toContain("The service moves: it is away for seconds at most.");
    expect(comment).toContain("another one is made in northeurope, the old one is in westeurope and goes last");
    expect(comment).toContain("> ⚠️ `vault-dev-westeurope-vault` is deleted: what only it opens");
    expect(comment).toContain("**Costs:** no dial that costs is turned.");
  });
});

describe("a preview that failed", () => {
  it("says so first, with its reasons, and never that nothing changes", () => {
    const errors = [
      { severity: "error", message: "error: vmSize must be …: set sealed-onion:vmSize\n" },
      { severity: "error", message: "update failed" },
    ];
    const origin = { commit: "c0ffee", run: "https://run" };
    const comment = previewComment(readPlan(plan([], errors)), origin);
    expect(comment).toBe(
      [
        "<!-- sealed-onion preview -->",
        "### ❌ The preview failed",
        "",
        "Commit c0ffee, [this run](https://run).",
        "",
        "**Nothing is known of what `pulumi up` would do.**",
        "",
        "    vmSize must be …: set sealed-onion:vmSize",
        "",
        "    update failed",
        "",
      ].join("\n"),
    );
  });
});

describe("the whole comment", () => {
  it("of what Pulumi 3.259 printed, recorded", () => {
    const golden = (name: string) => fs.readFileSync(path.join("test", "program", "golden", name), "utf8");
    expect(previewComment(readPlan(golden("preview-plan.json")))).toBe(golden("preview-comment.md"));
  });

  it("of nothing", () => {
    expect(previewComment(readPlan(plan([{ op: "same", type: VM, name: "vm-machine", old: {}, next: {} }])))).toBe(
      [
        "<!-- sealed-onion preview -->",
        "### Preview of stack `dev`",
        "",
        "**Nothing changes.** `pulumi up` would run no command.",
        "",
        "Addresses, vault and key, rights, logins and ports stay as they are.",
        "",
        "**Image:** unchanged: neither built nor uploaded.  ",
        "**VM:** unchanged.  ",
        "**Costs:** no dial that costs is turned.",
        "",
        "0 to create, 0 to update, 0 to replace, 0 to delete, 3 unchanged.",
        "",
      ].join("\n"),
    );
  });

  it("refuses what is no plan", () => {
    expect(() => readPlan("error: no stack")).toThrow("this is not the output of pulumi preview --json: it is no JSON");
    expect(() => readPlan("{}")).toThrow("this is not the output of pulumi preview --json: it has no steps");
  });
});

describe("what would be posted for everybody to read", () => {
  it.each([
    ["an age secret key", "AGE-SECRET-KEY-1QQQQ"],
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----"],
    ["an onion service's key", "== ed25519v1-secret: type0 =="],
    ["a token", `eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}.c`],
    ["a token of GitHub", `ghp_${"a".repeat(36)}`],
    ["a key of a storage account", `${"A".repeat(86)}==`],
    ["a shared access signature", `?sv=1&sig=${"a".repeat(30)}`],
    ["64 bytes in hexadecimal", "ab".repeat(64)],
    ["a password in a URL", "https://me:hunter22@host/"],
  ])("is refused for %s", (what, text) => {
    expect(() => refuseSecrets(`x ${text} y`, {})).toThrow(
      `the comment holds what looks like ${what}: it is not printed`,
    );
  });

  it("is refused for the value of a secret variable, and names only the variable", () => {
    const environment = { ARM_CLIENT_SECRET: "very-secret-value", HOME: "/home/me", SHORT_TOKEN: "abc" };
    expect(() => refuseSecrets("it is very-secret-value", environment)).toThrow(
      /^the comment holds the value of ARM_CLIENT_SECRET: it is not printed$/,
    );
    expect(() => refuseSecrets("/home/me abc", environment)).not.toThrow();
  });

  it("is let through where it is a comment of ours", () => {
    const url = "https://v.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef";
    const comment = previewComment(
      readPlan(plan([seal({ KEY_URL: url }), seal({ FINGERPRINT: "file:".concat("a".repeat(64)) })])),
    );
    expect(() => refuseSecrets(comment, process.env)).not.toThrow();
  });
});
