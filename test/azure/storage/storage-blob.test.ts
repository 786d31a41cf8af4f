import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runScript } from "../child";
import { type Ask, ask, type Reply, via } from "../client";
import type { Principal } from "../cloud";
import { assignment, type Rig, roleId, startRig } from "../fixture";
import { stringToSign } from "./shared-key";

const HOST = "https://sealedtest.blob.core.windows.net";
const AUDIENCE = "https://storage.azure.com";
const CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";
const VERSION = { "x-ms-version": "2025-05-05" };

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
afterEach(() => rig.azure.faults.clear());
beforeEach(() => {
  for (const { id } of rig.cloud.list({ type: "Microsoft.Authorization/roleAssignments", under: rig.ids.group }))
    rig.cloud.remove(id);
  putAccount();
  putContainer("images");
  grant(rig.workstation(), CONTRIBUTOR);
});

function putAccount(properties: object = {}): void {
  const usual = { allowSharedKeyAccess: false, allowBlobPublicAccess: false };
  rig.cloud.put({
    id: rig.ids.account,
    type: "Microsoft.Storage/storageAccounts",
    name: "sealedtest",
    location: "westeurope",
    properties: { ...usual, ...properties },
  });
}

function containerId(name: string): string {
  return `${rig.ids.account}/blobServices/default/containers/${name}`;
}

function putContainer(name: string): void {
  rig.cloud.put({
    id: containerId(name),
    type: "Microsoft.Storage/storageAccounts/blobServices/containers",
    name,
    properties: {},
  });
}

function grant(principal: Principal, role: string, scope = rig.ids.account, effectiveAfterMs = 0): void {
  rig.cloud.put(assignment(scope, principal.objectId, roleId(rig.cloud, role)), { effectiveAfterMs });
}

async function blob(path: string, what: Ask = {}, principal = rig.workstation(), audience = AUDIENCE): Promise<Reply> {
  const authorization = `Bearer ${await rig.tokenOf(principal, audience)}`;
  return ask(via(rig.azure.workstation.env), HOST + path, {
    ...what,
    headers: { ...VERSION, authorization, ...what.headers },
  });
}

function put(path: string, text: string, principal?: Principal): Promise<Reply> {
  return blob(path, { method: "PUT", body: text, headers: { "x-ms-blob-type": "BlockBlob" } }, principal);
}

function code(reply: Reply): [number, unknown] {
  return [reply.status, reply.headers["x-ms-error-code"]];
}

describe("blobs", () => {
  it("are kept for anyone who has the role", async () => {
    expect((await put("/images/a%20b/c.txt", "hello")).status).toBe(201);
    const read = await blob("/images/a%20b/c.txt");
    expect([read.status, read.text, read.headers["x-ms-blob-type"]]).toEqual([200, "hello", "BlockBlob"]);
    const listed = await blob("/images?restype=container&comp=list");
    expect(listed.text).toContain("<Name>a b/c.txt</Name>");
  });

  it("are read by the control plane without a token", async () => {
    await put("/images/raw.bin", "0123456789");
    expect(await rig.cloud.blobs.properties(`${HOST}/images/raw.bin`)).toEqual({
      type: "BlockBlob",
      size: 10,
      metadata: {},
      isLeased: false,
    });
    expect((await rig.cloud.blobs.read(`${HOST}/images/raw.bin`, 3, 4)).toString()).toBe("3456");
    expect(await rig.cloud.blobs.properties(`${HOST}/images/none`)).toBeUndefined();
    expect(await rig.cloud.blobs.properties(`${HOST}/none/raw.bin`)).toBeUndefined();
    expect(await rig.cloud.blobs.properties("https://nobody.blob.core.windows.net/images/raw.bin")).toBeUndefined();
    await expect(rig.cloud.blobs.read(`${HOST}/images/none`, 0, 1)).rejects.toThrow("404");
  });

  it("lie in the account's own folder while it stands", async () => {
    const secret = randomBytes(24).toString("hex");
    await put("/images/findable", secret);
    const { sealedtest = "" } = await rig.azure.blobDirectories();
    const files = fs
      .readdirSync(sealedtest, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile());
    const found = files.some((entry) => fs.readFileSync(`${entry.parentPath}/${entry.name}`).includes(secret));
    expect(found).toBe(true);
  });
});

describe("containers", () => {
  it("made by the data plane are resources, and go when deleted there", async () => {
    const made = await blob("/made?restype=container", { method: "PUT" });
    expect([made.status, rig.cloud.get(containerId("made"))?.name]).toEqual([201, "made"]);
    const deleted = await blob("/made?restype=container", { method: "DELETE" });
    expect([deleted.status, rig.cloud.get(containerId("made"))]).toEqual([202, undefined]);
  });

  it("made by the control plane exist at once, and are empty again when made again", async () => {
    putContainer("fresh");
    expect((await put("/fresh/x", "1")).status).toBe(201);
    rig.cloud.remove(containerId("fresh"));
    expect(code(await blob("/fresh/x"))).toEqual([404, "ContainerNotFound"]);
    putContainer("fresh");
    expect(code(await blob("/fresh/x"))).toEqual([404, "BlobNotFound"]);
    const listed = await blob("/?comp=list");
    expect([...listed.text.matchAll(/<Name>(\w+)<\/Name>/g)].map(([, name]) => name)).toEqual(["fresh", "images"]);
  });

  it("go with their account, blobs and all", async () => {
    await put("/images/x", "1");
    rig.cloud.remove(rig.ids.account);
    await expect(blob("/images/x")).rejects.toThrow("CONNECT 502");
    putAccount();
    putContainer("images");
    grant(rig.workstation(), CONTRIBUTOR);
    expect(code(await blob("/images/x"))).toEqual([404, "BlobNotFound"]);
  });
});

describe("access", () => {
  it.each<[title: string, grants: () => void, read: number, write: number]>([
    ["nothing", () => undefined, 403, 403],
    ["a reader's role on the account", () => grant(rig.guest(), READER), 200, 403],
    ["a contributor's role on the container", () => grant(rig.guest(), CONTRIBUTOR, containerId("images")), 200, 201],
    [
      "a contributor's role on another container",
      () => grant(rig.guest(), CONTRIBUTOR, containerId("others")),
      403,
      403,
    ],
    ["a contributor's role on the group", () => grant(rig.guest(), CONTRIBUTOR, rig.ids.group), 200, 201],
    ["a role that is not yet in effect", () => grant(rig.guest(), CONTRIBUTOR, rig.ids.account, 60_000), 403, 403],
    [
      "the owner's role, which has no data actions",
      () => grant(rig.guest(), "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
      403,
      403,
    ],
  ])("with %s", async (_title, grants, read, write) => {
    await put("/images/shared", "1");
    grants();
    const got = await blob("/images/shared", {}, rig.guest());
    const sent = await put("/images/sent", "2", rig.guest());
    expect([got.status, sent.status]).toEqual([read, write]);
    for (const reply of [got, sent])
      if (reply.status === 403) expect(code(reply)).toEqual([403, "AuthorizationPermissionMismatch"]);
  });

  it.each<[title: string, act: () => Promise<Reply>, status: number, error: string]>([
    [
      "another audience",
      () => blob("/images/x", {}, undefined, "https://vault.azure.net"),
      401,
      "InvalidAuthenticationInfo",
    ],
    [
      "another tenant",
      () => blob("/images/x", {}, { ...rig.guest(), tenantId: "99999999-9999-4999-8999-999999999999" }),
      401,
      "InvalidAuthenticationInfo",
    ],
    [
      "no token",
      () => ask(via(rig.azure.workstation.env), `${HOST}/images/x`, { headers: VERSION }),
      401,
      "NoAuthenticationInformation",
    ],
    [
      "no token from an old client",
      () => ask(via(rig.azure.workstation.env), `${HOST}/images/x`),
      409,
      "PublicAccessNotPermitted",
    ],
    [
      "an account key",
      () => blob("/images/x", { headers: { authorization: "SharedKey sealedtest:AAAA" } }),
      403,
      "KeyBasedAuthenticationNotPermitted",
    ],
    [
      "a shared access signature",
      () => blob("/images/x?sv=2021-12-02&sig=AAAA"),
      403,
      "KeyBasedAuthenticationNotPermitted",
    ],
    ["a container that is not there", () => blob("/nothing/x"), 404, "ContainerNotFound"],
    ["a blob that is not there", () => blob("/images/nothing"), 404, "BlobNotFound"],
    [
      "a user delegation key",
      () => blob("/?restype=service&comp=userdelegationkey", { method: "POST", body: "" }),
      501,
      "NotImplemented",
    ],
    ["an operation nobody knows", () => blob("/images/x?comp=other"), 405, "UnsupportedHttpVerb"],
  ])("is refused for %s", async (_title, act, status, error) => {
    const reply = await act();
    expect(code(reply)).toEqual([status, error]);
    expect(reply.text).toContain(`<Code>${error}</Code>`);
  });

  it("tells a client without a token where to get one", async () => {
    const reply = await ask(via(rig.azure.workstation.env), `${HOST}/images/x`, { headers: VERSION });
    expect(reply.headers["www-authenticate"]).toBe(
      `Bearer authorization_uri=https://login.microsoftonline.com/${rig.cloud.tenantId}/oauth2/authorize resource_id=https://storage.azure.com`,
    );
  });

  it.each([{ publicNetworkAccess: "Disabled" }, { networkAcls: { defaultAction: "Deny" } }])(
    "is closed by %j",
    async (properties) => {
      putAccount(properties);
      expect(code(await blob("/images/x"))).toEqual([403, "AuthorizationFailure"]);
    },
  );

  it("accepts a token for the account itself", async () => {
    expect(code(await blob("/images/nothing", {}, undefined, `${HOST}/`))).toEqual([404, "BlobNotFound"]);
  });
});

describe("the released SDK, in a process of its own", () => {
  const prelude = `
    const { DefaultAzureCredential } = require("@azure/identity");
    const { BlobServiceClient } = require("@azure/storage-blob");
    const retryOptions = { maxTries: 3, retryDelayInMs: 20, maxRetryDelayInMs: 50 };
    const service = new BlobServiceClient("${HOST}", new DefaultAzureCredential(), { retryOptions });
    const container = service.getContainerClient("images");
    const page = container.getPageBlobClient("disk.vhd");
    const bytes = (fill) => Buffer.alloc(4 << 20, fill);
  `;

  it("writes and reads page blobs of many pages", async () => {
    const script = `${prelude}
      await page.create(16 << 20, { metadata: { digest: "abc" } });
      await Promise.all([1, 3].map((n) => page.uploadPages(bytes(n), n * (4 << 20), 4 << 20)));
      const ranges = await page.getPageRanges();
      const all = await page.downloadToBuffer();
      return { ranges: ranges.pageRange.map(({ offset }) => offset), digest: require("node:crypto").createHash("sha256").update(all).digest("hex") };
    `;
    const expected = Buffer.concat([0, 1, 0, 3].map((fill) => Buffer.alloc(4 << 20, fill)));
    expect(await runScript(script, rig.azure.workstation.env)).toEqual({
      ranges: [4 << 20, 12 << 20],
      digest: createHash("sha256").update(expected).digest("hex"),
    });
    expect(await rig.cloud.blobs.properties(`${HOST}/images/disk.vhd`)).toEqual({
      type: "PageBlob",
      size: 16 << 20,
      metadata: { digest: "abc" },
      isLeased: false,
    });
    expect(await rig.cloud.blobs.written(`${HOST}/images/disk.vhd`)).toEqual([
      { offset: 4 << 20, count: 4 << 20 },
      { offset: 12 << 20, count: 4 << 20 },
    ]);
    const operations = rig.azure.requests.entries.map(({ operation }) => operation);
    expect(operations.filter((operation) => operation === "Put Page")).toHaveLength(2);
  });

  it("survives a cut in the middle of a page, a lost answer and a busy server", async () => {
    const host = "sealedtest.blob.core.windows.net";
    const cut = rig.azure.faults.add({
      host,
      path: /comp=page/,
      times: 1,
      effect: { kind: "reset", afterRequestBytes: 100_000 },
    });
    const lost = rig.azure.faults.add({ host, path: /comp=page/, skip: 1, times: 1, effect: { kind: "loseAnswer" } });
    const busy = rig.azure.faults.add({
      host,
      method: "GET",
      times: 1,
      effect: { kind: "answer", status: 503, code: "ServerBusy", retryAfterSeconds: 0 },
    });
    const script = `${prelude}
      await page.create(8 << 20);
      await page.uploadPages(bytes(7), 0, 4 << 20);
      return (await page.downloadToBuffer(0, 16)).toString("hex");
    `;
    expect(await runScript(script, rig.azure.workstation.env)).toBe("07".repeat(16));
    expect([cut.hits, lost.hits, busy.hits]).toEqual([1, 1, 1]);
  });

  it("is denied in the SDK's own words", async () => {
    const script = `${prelude} await container.getBlockBlobClient("x").upload("x", 1);`;
    const machine = await rig.azure.bootMachine(rig.ids.machine);
    await expect(runScript(script, machine.env)).rejects.toThrow(/403 (AuthorizationPermissionMismatch|RestError)/);
    await machine.close();
  });
});

describe("the signature that Azurite wants", () => {
  it("covers method, headers, path and query in canonical order", () => {
    const url = new URL(`${HOST}/images/a%20b?restype=container&comp=list&prefix=x%2Fy`);
    const headers = {
      "content-length": "0",
      "x-ms-version": "2021-12-02",
      "x-ms-date": "now",
      date: "then",
      "user-agent": "me",
    };
    expect(stringToSign("GET", "acc", url, headers)).toBe(
      "GET\n\n\n\n\n\nthen\n\n\n\n\n\nx-ms-date:now\nx-ms-version:2021-12-02\n/acc/images/a%20b\ncomp:list\nprefix:x/y\nrestype:container",
    );
  });

  it("lets any blob name through, as it was written", async () => {
    const name = fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom(..."aZ09-_.~!$&'()*+,;=:@%#? äø€🧅") });
    await fc.assert(
      fc.asyncProperty(
        name.filter((text) => !/^\.*$|\.$/.test(text)),
        async (text) => {
          const path = `/images/n-${encodeURIComponent(text)}`;
          expect((await put(path, text)).status).toBe(201);
          expect((await blob(path)).text).toBe(text);
        },
      ),
      { numRuns: 25 },
    );
  });
});
