import * as http from "node:http";
import * as https from "node:https";
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ask, openSecure, openTunnel, type Reply, via } from "../client";
import { type Rig, startRig } from "../fixture";
import type { FaultEffect, FaultRule } from "./faults";

const DISCOVERY = "https://login.microsoftonline.com/common/discovery/instance";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => rig.azure.requests.clear());
afterEach(() => rig.azure.faults.clear());

function workstation() {
  return via(rig.azure.workstation.env);
}

function inject(effect: FaultEffect, rule: Omit<FaultRule, "effect"> = {}) {
  return rig.azure.faults.add({ host: "login.microsoftonline.com", ...rule, effect });
}

async function outcome(): Promise<number | string> {
  return ask(workstation(), DISCOVERY).then(
    ({ status }) => status,
    (error: Error) => error.message,
  );
}

describe("a host nobody answers for", () => {
  it.each([
    "example.com:443",
    "nobody.vault.azure.net:443",
    "nobody.blob.core.windows.net:443",
    "login.microsoftonline.com:8443",
    "127.0.0.1:443",
  ])("is not connected to: %s", async (authority) => {
    const [host] = authority.split(":");
    await expect(openTunnel(workstation(), authority)).rejects.toThrow("CONNECT 502");
    expect(rig.azure.requests.entries).toMatchObject([{ via: "workstation", method: "CONNECT", host, status: 502 }]);
    expect(rig.azure.requests.entries[0]?.failure).toBe(
      `no service of the loopback Azure answers for ${authority}; nothing was sent to a network`,
    );
  });

  it("is told so over plain HTTP, even one that exists over TLS", async () => {
    for (const host of ["example.com", "login.microsoftonline.com", "kv-test.vault.azure.net"]) {
      const reply = await ask(workstation(), `http://${host}/`);
      expect([reply.status, reply.text]).toEqual([
        502,
        `no service of the loopback Azure answers for ${host}; nothing was sent to a network\n`,
      ]);
    }
  });
});

describe("the front door", () => {
  it("is a proxy and no web server", async () => {
    const proxy = new URL(workstation().HTTPS_PROXY);
    const status = await new Promise((resolve) => {
      http.get({ host: proxy.hostname, port: proxy.port, path: "/" }, (answer) => resolve(answer.resume().statusCode));
    });
    expect(status).toBe(400);
  });

  it("keeps a connection to the host it was made for", async () => {
    const reply = await ask(workstation(), DISCOVERY, { headers: { host: "kv-test.vault.azure.net" } });
    expect([reply.status, reply.text]).toEqual([
      421,
      "this connection is for login.microsoftonline.com, not for kv-test.vault.azure.net\n",
    ]);
  });

  it("serves many requests on one connection, with one certificate a host", async () => {
    const socket = await openSecure(workstation(), "login.microsoftonline.com");
    let received = "";
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("utf8");
    });
    for (let count = 1; count <= 3; count += 1) {
      socket.write("GET /common/discovery/instance HTTP/1.1\r\nhost: login.microsoftonline.com\r\n\r\n");
      await expect.poll(() => received.match(/HTTP\/1\.1 200 OK/g)?.length).toBe(count);
    }
    const again = await openSecure(workstation(), "login.microsoftonline.com");
    expect(again.getPeerCertificate().fingerprint256).toBe(socket.getPeerCertificate().fingerprint256);
    expect(again.getPeerCertificate().subjectaltname).toBe("DNS:login.microsoftonline.com");
    for (const one of [socket, again]) one.destroy();
  });

  it("is trusted only by a client that has its authority", async () => {
    const socket = await openTunnel(workstation(), "login.microsoftonline.com:443");
    const failure = await new Promise<Error>((resolve) => {
      connect({ socket, servername: "login.microsoftonline.com" }).once("error", resolve);
    });
    expect(failure.message).toMatch(/unable to verify|self-signed|unable to get/);
  });

  it("logs connections that never became TLS", async () => {
    const socket = await openTunnel(workstation(), "login.microsoftonline.com:443");
    socket.write("GET / HTTP/1.1\r\nhost: login.microsoftonline.com\r\n\r\n");
    const failed = { method: "CONNECT", host: "login.microsoftonline.com", status: 0 };
    await expect.poll(() => rig.azure.requests.entries).toMatchObject([failed]);
    expect(rig.azure.requests.entries[0]?.failure).toMatch(/^TLS: .*http request/i);
    socket.destroy();
  });

  it("can be reached without a proxy, where packets are brought to it", async () => {
    const machine = await rig.azure.bootMachine(rig.ids.machine);
    const tls = await machine.gateway.listenTls({ host: "127.0.0.1", port: 0 });
    const metadata = await machine.gateway.listenPlain({ host: "127.0.0.1", port: 0 }, "169.254.169.254");
    const ca = rig.azure.authority.certificatePem;
    const secure = await new Promise((resolve, reject) => {
      const options = { ...tls, servername: "kv-test.vault.azure.net", ca, agent: false, path: "/keys" };
      const request = https.get({ ...options, headers: { host: "kv-test.vault.azure.net" } }, (answer) => {
        resolve(answer.resume().statusCode);
      });
      request.once("error", reject);
    });
    const plain = await new Promise((resolve) => {
      http.get({ ...metadata, agent: false, path: "/metadata/versions", headers: { metadata: "true" } }, (answer) => {
        resolve(answer.resume().statusCode);
      });
    });
    expect([secure, plain]).toEqual([401, 200]);
    const unknown = connect({ ...tls, servername: "example.com", ca });
    await new Promise((resolve) => unknown.once("error", resolve));
    const failures = rig.azure.requests.entries.filter(({ failure }) => failure !== undefined);
    expect(failures).toMatchObject([{ via: machine.vmId, host: "example.com" }]);
    await machine.close();
  });

  it("is closed with all its connections", async () => {
    const machine = await rig.azure.bootMachine(rig.ids.machine);
    const socket = await openSecure(via(machine.env), "login.microsoftonline.com");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await machine.close();
    await closed;
    await expect(openTunnel(via(machine.env), "login.microsoftonline.com:443")).rejects.toThrow("ECONNREFUSED");
  });
});

describe("faults", () => {
  const answer: FaultEffect = { kind: "answer", status: 503, code: "ServiceUnavailable" };

  it.each<[title: string, rule: Omit<FaultRule, "effect">, expected: number[]]>([
    ["each time", {}, [503, 503, 503, 503]],
    ["so many times", { times: 2 }, [503, 503, 200, 200]],
    ["after so many", { skip: 1 }, [200, 503, 503, 503]],
    ["every second", { every: 2 }, [200, 503, 200, 503]],
    ["every second after the first, once", { skip: 1, every: 2, times: 1 }, [200, 200, 503, 200]],
    ["another host", { host: "kv-test.vault.azure.net" }, [200, 200, 200, 200]],
    ["a suffix", { host: ".microsoftonline.com" }, [503, 503, 503, 503]],
    ["an expression over the path", { path: /instance$/ }, [503, 503, 503, 503]],
    ["another path", { path: "/common/keys" }, [200, 200, 200, 200]],
    ["another method", { method: "POST" }, [200, 200, 200, 200]],
    ["another machine", { via: "/somewhere/else" }, [200, 200, 200, 200]],
  ])("meet requests %s", async (_title, rule, expected) => {
    const fault = inject(answer, rule);
    const statuses: unknown[] = [];
    for (const _ of expected) statuses.push(await outcome());
    expect(statuses).toEqual(expected);
    expect(fault.hits).toBe(expected.filter((status) => status === 503).length);
    fault.remove();
    expect(await outcome()).toBe(200);
  });

  it.each<[host: string, path: string, read: (reply: Reply) => unknown]>([
    [DISCOVERY, "", (reply) => reply.at("error")],
    ["https://kv-test.vault.azure.net", "/keys", (reply) => reply.at("error.code")],
    ["https://management.azure.com", "/x", (reply) => reply.at("error.code")],
  ])("answer in the service's own form: %s", async (host, path, read) => {
    rig.azure.faults.add({ effect: answer });
    expect(read(await ask(workstation(), host + path))).toBe("ServiceUnavailable");
  });

  it("may say anything, with a time to retry after", async () => {
    inject({ kind: "answer", status: 429, body: "slow down", headers: { "x-reason": "tests" }, retryAfterSeconds: 7 });
    const reply = await ask(workstation(), DISCOVERY);
    expect([reply.status, reply.text, reply.headers["retry-after"], reply.headers["x-reason"]]).toEqual([
      429,
      "slow down",
      "7",
      "tests",
    ]);
  });

  it("cut connections: before the work, or after it and before its answer", async () => {
    inject({ kind: "reset" }, { times: 1 });
    expect(await outcome()).toMatch(/socket hang up|ECONNRESET/);
    inject({ kind: "loseAnswer" }, { times: 1 });
    expect(await outcome()).toMatch(/socket hang up|ECONNRESET/);
    expect(
      rig.azure.requests.entries.map(({ status, fault, failure, operation }) => [status, fault, failure, operation]),
    ).toEqual([
      [0, "reset", "connection cut", undefined],
      [0, "loseAnswer", "answer 200 lost", "discovery"],
    ]);
  });

  it("wait, and then let other rules act", async () => {
    inject({ kind: "delay", milliseconds: 50 });
    inject(answer, { times: 1 });
    const start = Date.now();
    expect([await outcome(), await outcome()]).toEqual([503, 200]);
    expect(Date.now() - start).toBeGreaterThanOrEqual(100);
  });

  it("make a host unreachable, for one machine alone", async () => {
    const machine = await rig.azure.bootMachine(rig.ids.machine);
    inject({ kind: "unreachable" }, { via: machine.vmId });
    rig.azure.faults.add({ host: "169.254.169.254", effect: { kind: "unreachable" } });
    expect(await outcome()).toBe(200);
    await expect(ask(via(machine.env), DISCOVERY)).rejects.toThrow("CONNECT 502");
    expect((await ask(via(machine.env), "http://169.254.169.254/metadata/versions")).status).toBe(502);
    rig.azure.faults.clear();
    expect((await ask(via(machine.env), DISCOVERY)).status).toBe(200);
    await machine.close();
  });

  it("never answer, until the client gives up", async () => {
    inject({ kind: "hang" });
    const socket = await openSecure(workstation(), "login.microsoftonline.com");
    socket.write("GET /common/discovery/instance HTTP/1.1\r\nhost: login.microsoftonline.com\r\n\r\n");
    await expect.poll(() => rig.azure.requests.entries[0]?.fault).toBe("hang");
    socket.destroy();
    await expect.poll(() => rig.azure.requests.entries[0]?.durationMs).toBeDefined();
    expect(rig.azure.requests.entries[0]?.status).toBe(0);
  });
});

describe("the log", () => {
  it("tells of each request what, by whom and how it ended, and tells it at once", async () => {
    const seen: string[] = [];
    const end = rig.azure.requests.subscribe(({ path, status }) => seen.push(`${path} ${status}`));
    await ask(workstation(), `${DISCOVERY}?secret=hidden`);
    await expect.poll(() => seen).toEqual(["/common/discovery/instance 200"]);
    end();
    await ask(workstation(), DISCOVERY);
    await expect.poll(() => rig.azure.requests.entries.at(-1)?.durationMs).toBeDefined();
    expect(seen).toHaveLength(1);
    expect(JSON.stringify(rig.azure.requests.entries)).not.toContain("hidden");
    expect(rig.azure.requests.entries[0]).toMatchObject({
      via: "workstation",
      method: "GET",
      host: "login.microsoftonline.com",
      path: "/common/discovery/instance",
      status: 200,
      operation: "discovery",
    });
  });
});
