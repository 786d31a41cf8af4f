import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { providerSettings, type SettingName } from "../../../../components/azure/provider-settings";
import { lend } from "../../../../components/azure/session/session";
import { findOnPath } from "../../../../components/process/find-program";
import type { SealRecord } from "../../../../components/secrets/seal/seal-record";
import { openSealed, type Run, type Sealing, startSealing } from "../sealing";

const noSops = !findOnPath("sops");
const host = "test-vault.vault.azure.net";
const hidden = "configured-client-secret";

/** One `up` at a time: this process is the Pulumi program, which the commands find by folder and stack. */
describe.skipIf(noSops)(`the seals of one up${noSops ? " (skipped: needs sops on PATH)" : ""}`, () => {
  const home = process.cwd();
  let sealing: Sealing;
  let up = 0;
  let stack: string;

  beforeAll(async () => {
    sealing = await startSealing();
    process.chdir(sealing.folder);
  });
  afterAll(async () => {
    process.chdir(home);
    await sealing.close();
  });
  beforeEach(() => {
    up += 1;
    stack = `up${up}`;
    sealing.azure.requests.clear();
  });
  afterEach(() => sealing.azure.faults.clear());

  /** Somebody who is known by the stack's configuration alone. */
  function configured(name: string) {
    const { clientId, objectId, tenantId } = sealing.azure.cloud.directory.addApplication({
      displayName: name,
      secrets: [hidden],
    });
    return { objectId, tenantId, config: { clientId, tenantId, clientSecret: hidden } };
  }

  async function start(config: Partial<Record<SettingName, string>>, expected: { objectId: string; tenantId: string }) {
    const settings = providerSettings((key) => config[key], {});
    expect(await lend(stack, { settings, expected: () => expected, hosts: new Set([host]) })).toBe(true);
  }

  const nobody = { AZURE_CLIENT_ID: undefined, AZURE_CLIENT_SECRET: undefined, AZURE_TENANT_ID: undefined };

  function seal(names: string[], environment: NodeJS.ProcessEnv = nobody, { asPulumi = true } = {}): Promise<Run[]> {
    for (const name of names) sealing.write(name, `plaintext of ${name}`);
    const options = { environment, asPulumi };
    return Promise.all(names.map((name) => sealing.run({ stack, name, source: { file: name } }, options)));
  }

  const tokensAsked = () => sealing.azure.requests.entries.filter(({ operation }) => operation === "token").length;
  const sealers = () =>
    new Set(
      sealing.azure.requests.entries.filter(({ operation }) => operation === "encrypt").map((one) => one.principal),
    );

  it("act as the configuration says, secret values included, with one login for all", async () => {
    const { objectId, tenantId, config } = configured("deployer");
    sealing.allow(["get", "encrypt", "decrypt"], objectId);
    await start(config, { objectId, tenantId });
    const names = Array.from({ length: 12 }, (_, index) => `secret-${index}`);
    const runs = await seal(names);
    for (const run of runs) expect(run).toMatchObject({ code: 0, result: { action: "sealed" } });
    expect(tokensAsked()).toBe(1);
    expect([...sealers()]).toEqual([objectId]);
    const reads = sealing.azure.requests.entries.filter(({ method, host: at }) => at === host && method === "GET");
    expect(reads.length).toBe(1);
    expect(JSON.stringify(runs)).not.toContain(hidden);
    sealing.allow(["decrypt"]);
    const opened = await openSealed(sealing, `nix/stacks/${stack}/secret-7.sops.json`);
    expect(opened.toString()).toBe("plaintext of secret-7");
  });

  it("start no Node of their own: each secret is a process", async () => {
    const { objectId, tenantId, config } = configured("light");
    sealing.allow(["get", "encrypt", "decrypt"], objectId);
    await start(config, { objectId, tenantId });
    const [list, note] = [path.join(sealing.folder, "started"), path.join(sealing.folder, "note.cjs")];
    fs.writeFileSync(note, `require("fs").appendFileSync(${JSON.stringify(list)}, process.argv[2] + "\\n");\n`);
    const runs = await seal(["one", "two"], { ...nobody, NODE_OPTIONS: `--require ${note}` });
    for (const run of runs) expect(run).toMatchObject({ code: 0, result: { action: "sealed" } });
    expect(fs.readFileSync(list, "utf8")).toBe("seal-helper\n");
  });

  it("have the same helper from Node, where there is no curl", async () => {
    const { objectId, tenantId, config } = configured("without-curl");
    sealing.allow(["get", "encrypt", "decrypt"], objectId);
    await start(config, { objectId, tenantId });
    const names = ["m", "n", "o"];
    const runs = await seal(names, nobody, { asPulumi: false });
    for (const run of runs) expect(run).toMatchObject({ code: 0, result: { action: "sealed" } });
    expect(tokensAsked()).toBe(1);
    const [wrong] = await seal(["m"], { ...nobody, GENERATION: "none" }, { asPulumi: false });
    expect(wrong).toMatchObject({ code: 2, stderr: "m: GENERATION must be a whole number above 0\n" });
  });

  it("ask az once for all, however long it takes", async () => {
    const { objectId, tenantId } = sealing.azure.workstation.principal;
    const principal = sealing.azure.cloud.directory.principal(objectId);
    if (principal === undefined) throw new Error("the workstation has no principal");
    sealing.allow(["get", "encrypt", "decrypt"]);
    const { token, expiresOn } = await sealing.azure.tokens.issue({ principal, audience: "https://vault.azure.net" });
    const bin = path.join(sealing.folder, "bin");
    fs.mkdirSync(bin);
    const answer = JSON.stringify({ accessToken: token, expires_on: expiresOn });
    const work = "const end = process.cpuUsage().user + 2e6; while (process.cpuUsage().user < end);";
    const script = `#!/bin/sh\necho "$*" >> '${bin}/asked'\n'${process.execPath}' -e '${work}'\necho '${answer}'\n`;
    fs.writeFileSync(path.join(bin, "az"), script, { mode: 0o755 });
    await start({ tenantId }, { objectId, tenantId });
    const names = Array.from({ length: 12 }, (_, index) => `by-az-${index}`);
    const runs = await seal(names, { ...nobody, PATH: `${bin}${path.delimiter}${process.env.PATH}` });
    for (const run of runs) expect(run).toMatchObject({ code: 0, stderr: "", result: { action: "sealed" } });
    const asked = fs.readFileSync(path.join(bin, "asked"), "utf8");
    expect(asked).toBe(
      `account get-access-token --output json --resource https://vault.azure.net --tenant ${tenantId}\n`,
    );
  });

  it("are refused where somebody else than Pulumi's provider would act, with both names", async () => {
    const { objectId, tenantId, config } = configured("other");
    sealing.allow(["get", "encrypt", "decrypt"], objectId);
    const provider = sealing.azure.workstation.principal;
    await start(config, provider);
    const [run] = await seal(["refused"]);
    expect(run?.code).toBe(1);
    expect(run?.stderr).toContain(
      `refused: cannot seal: this would act as service principal ${config.clientId} (object id ${objectId}`,
    );
    expect(run?.stderr).toContain(`Pulumi's provider acts as object id ${provider.objectId} of tenant ${tenantId}`);
    expect(fs.existsSync(path.join(sealing.folder, `nix/stacks/${stack}/refused.sops.json`))).toBe(false);
    stack = `${stack}-again`;
    await start(config, { objectId, tenantId }); // both log in as one
    expect((await seal(["refused"]))[0]?.code).toBe(0);
  });

  it("tell nothing to a command of another deployment in the same folder", async () => {
    const { config, ...expected } = configured("foreign");
    const settings = providerSettings((key) => config[key as keyof typeof config], {});
    await lend(stack, { settings, expected: () => expected, hosts: new Set(["another.vault.azure.net"]) });
    const [run] = await seal(["foreign"]);
    expect(run?.stderr).toContain("no Azure credentials are at hand");
  });

  it("lose nothing where the helper dies", async () => {
    const { objectId, tenantId, config } = configured("survivor");
    sealing.allow(["get", "encrypt", "decrypt"], objectId);
    await start(config, { objectId, tenantId });
    const slow = sealing.azure.faults.add({
      host,
      path: /encrypt/,
      times: 4,
      effect: { kind: "delay", milliseconds: 4000 },
    });
    const runs = seal(["a", "b", "c"]);
    await expect.poll(() => slow.hits, { timeout: 60_000, interval: 50 }).toBeGreaterThan(0);
    process.kill(helper(), "SIGKILL");
    for (const run of await runs) expect(run).toMatchObject({ code: 0, result: { action: "sealed" } });
  });

  it("lose nothing where the helper dies between a key's file and its answer", async () => {
    const { objectId, tenantId, config } = configured("late");
    sealing.allow(["get", "encrypt", "decrypt"], objectId);
    await start(config, { objectId, tenantId });
    const sealed = path.join(sealing.folder, `nix/stacks/${stack}/onion-key.sops.json`);
    const run = sealing.run({ stack, name: "onion-key" }, { environment: nobody, asPulumi: true });
    await expect.poll(() => fs.existsSync(sealed), { timeout: 60_000, interval: 1 }).toBe(true);
    process.kill(helper(), "SIGKILL");
    const first = fs.readFileSync(sealed);
    const { code, result } = await run;
    expect(code).toBe(0);
    expect(fs.readFileSync(sealed).equals(first)).toBe(true);
    const record = JSON.parse(fs.readFileSync(sealed.replace(".sops.", ".seal."), "utf8")) as SealRecord;
    expect(result).toMatchObject({ hostname: record.onion?.hostname, digest: record.digest });
  });

  it("work alone where a command's environment is another one", async () => {
    const { objectId, tenantId, config } = configured("different");
    sealing.allow(["get", "encrypt", "decrypt"], objectId);
    await start(config, { objectId, tenantId });
    const [first] = await seal(["first"]);
    const [second] = await seal(["second"], { ...nobody, PASSWORD_STORE_DIR: "/elsewhere" });
    expect([first?.code, second?.code]).toEqual([0, 0]);
    expect(tokensAsked()).toBe(2);
  });

  it("show what is said on the way to the command that it is about", async () => {
    const { objectId, tenantId, config } = configured("chatty");
    sealing.allow(["get", "encrypt", "decrypt"], objectId);
    await start(config, { objectId, tenantId });
    sealing.azure.faults.add({ host, path: /encrypt/, times: 2, effect: { kind: "answer", status: 403 } });
    const runs = await seal(["x", "y"]);
    const said = runs.map(({ stderr }) => stderr).filter((text) => text.includes("trying again"));
    expect(said.length).toBeGreaterThan(0);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
  });

  /** The process that this one has started last. */
  function helper(): number {
    const children = fs.readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ");
    const isHelper = (pid: string) => fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("seal-helper");
    return Number(children.filter((pid) => pid !== "" && isHelper(pid)).at(-1));
  }
});
