import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { decodeJwt } from "jose";
import { GUEST, type Rig, startRig } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { runGuestScript } from "./guest-script";

const missing = ["bash", "curl", "jq"].filter((program) => !findOnPath(program));

/** What was asked of the Vault: `METHOD /path`, the token it came with, the body. */
interface Asked {
  what: string;
  token: string | undefined;
  body: Record<string, string>;
}

/** A Vault's answers, by path. */
type Answers = Record<string, [status: number, body: string]>;

const login = "/v1/auth/onion/azure/login";
const lookup = "/v1/auth/token/lookup-self";
const granted = (token: string, seconds = 3600) =>
  JSON.stringify({ auth: { client_token: token, lease_duration: seconds } });

describe.skipIf(missing.length > 0)(`the login for OpenBao's agent (skipped without ${missing.join(", ")})`, () => {
  let rig: Rig;
  let machine: Machine;
  let vault: http.Server;
  let folder: string;
  let answers: Answers;
  let asked: Asked[];

  beforeAll(async () => {
    rig = await startRig();
    machine = await rig.azure.bootMachine(rig.ids.machine);
    vault = http.createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      const token = request.headers["x-vault-token"]?.toString();
      asked.push({ what: `${request.method} ${request.url}`, token, body: text ? JSON.parse(text) : {} });
      const [status, body] = answers[request.url ?? ""] ?? [404, "no such path"];
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => vault.listen(0, "127.0.0.1", resolve));
  });
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "vault-login-"));
    asked = [];
    answers = { [login]: [200, granted("hvs.first")], [lookup]: [200, "{}"] };
    return () => fs.rmSync(folder, { recursive: true });
  });
  afterAll(async () => {
    await new Promise((resolve) => vault.close(resolve));
    await machine.close();
    await rig.close();
  });

  const address = () => `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
  const file = (name: string) => path.join(folder, name);
  const token = () => fs.readFileSync(file("login-token"), "utf8").trim();

  function logIn(change: Record<string, string> = {}) {
    return runGuestScript("vault-login", [folder], {
      ...machine.env,
      NO_PROXY: "127.0.0.1",
      no_proxy: "127.0.0.1",
      SEALED_ONION_VAULT_ADDRESS: address(),
      SEALED_ONION_VAULT_MOUNT: "onion/azure",
      SEALED_ONION_VAULT_ROLE: "web",
      SEALED_ONION_VAULT_RESOURCE: "https://management.azure.com/",
      SEALED_ONION_VAULT_CLIENT_ID: GUEST.clientId,
      ...change,
    });
  }

  /** As if the token in place had been given that many seconds ago. */
  function age(seconds: number, lease = 3600): void {
    fs.writeFileSync(file("login-lease"), `${Math.floor(Date.now() / 1000) - seconds} ${lease}\n`);
  }

  it("sends the identity's token and which machine it is, and keeps what it gets for one user", async () => {
    const { code, stderr } = await logIn();
    expect([code, stderr]).toEqual([0, `<2>sealed-onion: logged in at ${address()}/v1/auth/onion/azure\n`]);
    expect(asked.map(({ what }) => what)).toEqual([`POST ${login}`]);
    const { jwt, ...rest } = asked[0]?.body ?? {};
    expect(rest).toEqual({
      role: "web",
      subscription_id: rig.cloud.subscriptionId,
      resource_group_name: "rg",
      vm_name: "web",
      vmss_name: "",
    });
    expect(decodeJwt(jwt ?? "")).toMatchObject({ aud: "https://management.azure.com/", oid: GUEST.principalId });
    expect(token()).toBe("hvs.first");
    for (const name of ["login-token", "login-lease"]) expect(fs.statSync(file(name)).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(folder).sort()).toEqual(["login-lease", "login-said", "login-token"]);
  });

  it("takes the machine's only identity where no client id is given", async () => {
    expect((await logIn({ SEALED_ONION_VAULT_CLIENT_ID: "" })).code).toBe(0);
    expect(decodeJwt(asked[0]?.body.jwt ?? "").oid).toBe(GUEST.principalId);
  });

  it("shows no token in any program's arguments", async () => {
    const shown = file("arguments");
    const programs = file("bin");
    fs.mkdirSync(programs);
    for (const name of ["curl", "jq", "mv", "rm"]) {
      const wrapper = `#!/bin/sh\nprintf '%s\\n' "$*" >>'${shown}'\nexec '${findOnPath(name)}' "$@"\n`;
      fs.writeFileSync(path.join(programs, name), wrapper, { mode: 0o755 });
    }
    const PATH = `${programs}:${process.env.PATH}`;
    await logIn({ PATH });
    await logIn({ PATH });
    const seen = fs.readFileSync(shown, "utf8");
    expect(asked.map(({ what }) => what)).toEqual([`POST ${login}`, `GET ${lookup}`]);
    expect(asked[1]?.token).toBe("hvs.first");
    expect(seen).toContain("--data @-");
    expect(seen).not.toContain("hvs.first");
    expect(seen).not.toContain(asked[0]?.body.jwt?.slice(0, 20));
  });

  it("leaves a good token alone, and gets a new one from half of its lease on", async () => {
    await logIn();
    answers[login] = [200, granted("hvs.second", 600)];
    age(1700);
    await logIn();
    expect(token()).toBe("hvs.first");
    age(1800);
    await logIn();
    expect(token()).toBe("hvs.second");
    expect(fs.readFileSync(file("login-lease"), "utf8")).toMatch(/^\d+ 600\n$/);
  });

  it("gets a new one at once where Vault has revoked it, or the clock was set back", async () => {
    await logIn();
    answers[login] = [200, granted("hvs.second")];
    answers[lookup] = [403, '{"errors":["permission denied"]}'];
    await logIn();
    expect(token()).toBe("hvs.second");
    answers[login] = [200, granted("hvs.third")];
    answers[lookup] = [200, "{}"];
    age(-60);
    await logIn();
    expect(token()).toBe("hvs.third");
  });

  it("does not take a Vault that is sealed for one that has revoked the token", async () => {
    await logIn();
    answers[lookup] = [503, '{"errors":["Vault is sealed"]}'];
    expect((await logIn()).code).toBe(0);
    expect(asked.filter(({ what }) => what.startsWith("POST"))).toHaveLength(1);
  });

  it.each<[string, [number, string], string]>([
    [
      "Vault's words",
      [400, '{"errors":["service principal\\n not authorized: x"]}'],
      "service principal not authorized: x",
    ],
    ["a gateway's status", [502, "<html>Bad Gateway</html>"], "status 502"],
    ["an answer without a token", [200, '{"auth":null}'], "status 200"],
    ["a token that is none", [200, granted('x"\nurl = "http://elsewhere')], "status 200"],
  ])("says why it is refused, in one line: %s", async (_, answer, reason) => {
    answers[login] = answer;
    const { code, stderr } = await logIn();
    expect([code, stderr]).toEqual([1, `<2>sealed-onion: no login at ${address()}/v1/auth/onion/azure: ${reason}\n`]);
    expect(fs.readdirSync(folder)).toEqual(["login-said"]);
    expect((await logIn()).stderr).toMatch(/^<6>/); // the console has it once
  });

  it("keeps the token in place where a later login is refused", async () => {
    await logIn();
    age(3000);
    answers[login] = [500, '{"errors":["internal error"]}'];
    expect((await logIn()).code).toBe(1);
    expect(token()).toBe("hvs.first");
  });

  it("says that nobody answers", async () => {
    const { code, stderr } = await logIn({ SEALED_ONION_VAULT_ADDRESS: "http://127.0.0.1:1" });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^<2>sealed-onion: no login at http:\/\/127\.0\.0\.1:1\/v1\/auth\/onion\/azure: status 000 .*connect.*\n$/i,
    );
  });

  it("says that the machine has no such identity, and asks Vault nothing", async () => {
    const { code, stderr } = await logIn({ SEALED_ONION_VAULT_CLIENT_ID: "55555555-5555-4555-8555-555555555555" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^<2>sealed-onion: no login at .*: the metadata service gives no token: \S.*\n$/);
    expect(asked).toEqual([]);
  });

  it("says that the metadata service does not tell the machine", async () => {
    const fault = rig.azure.faults.add({
      host: "169.254.169.254",
      path: /^\/metadata\/instance/,
      effect: { kind: "answer", status: 500 },
    });
    const { code, stderr } = await logIn();
    fault.remove();
    expect(code).toBe(1);
    expect(stderr).toMatch(/: the metadata service does not say which machine this is: \S.*\n$/);
    expect(asked).toEqual([]);
  });
});
