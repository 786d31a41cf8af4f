import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onionHostname } from "../../../components/onion/hostname";
import { formatSecretKeyFile, generateOnionKey } from "../../../components/onion/keys";
import { findOnPath } from "../../../components/process/find-program";
import { authorizeClient, newClientAuthorization } from "./client-authorization";
import { fetchOnion } from "./fetch-onion";
import { startTorNetwork, type TorNetwork } from "./network";
import { type OnionStage, openOnionStage } from "./onion-stage";
import { startTor } from "./process";

const missing = ["tor", "tor-gencert"].filter((program) => findOnPath(program) === undefined);
const skipped = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} not on PATH)`;
const withTor = test.skipIf(missing.length > 0);
let directory = "";

beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "tor-"));
});

afterAll(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

async function gone(pid: number, deadlineMs: number): Promise<boolean> {
  for (const end = Date.now() + deadlineMs; Date.now() < end; await sleep(20)) {
    try {
      process.kill(pid, 0);
    } catch {
      return true; // no such process any more
    }
  }
  return false;
}

describe.skipIf(missing.length > 0)(`a private tor network${skipped}`, () => {
  let stage: OnionStage;
  let network: TorNetwork;

  beforeAll(async () => {
    stage = await openOnionStage(directory);
    network = stage.network;
  }, 120_000);

  afterAll(() => stage?.close());

  test("serves a page under the hostname of the key, from a folder for tor alone, and again after it has moved", async () => {
    const url = `http://${stage.hostname}/`;
    const first = await stage.service("first");
    const page = await fetchOnion(network.client.socksPort, url, { deadlineMs: 30_000 });
    expect(page).toMatchObject({ status: 200, headers: { "content-type": "text/plain" } });
    expect(page.body.toString()).toBe(`${stage.hostname} /`);
    const missingPage = await fetchOnion(network.client.socksPort, `${url}missing`, { deadlineMs: 30_000 });
    expect(missingPage.status).toBe(404);
    const keys = path.join(first.directory, "service");
    expect(fs.statSync(keys).mode & 0o777).toBe(0o700);
    await first.close();
    expect(fs.existsSync(keys)).toBe(false);
    const second = await stage.service("second");
    expect((await fetchOnion(network.client.socksPort, url, { deadlineMs: 30_000 })).status).toBe(200);
    await second.close();
  }, 120_000);

  test("serves nothing under another hostname than the one expected", async () => {
    const other = onionHostname(generateOnionKey().publicKey);
    const folder = await stage.layOut("other", stage.key);
    await expect(stage.start("other", folder, other)).rejects.toThrow(
      new Error(`tor derives the hostname ${stage.hostname} from the onion key, expected ${other}`),
    );
    expect(fs.existsSync(folder)).toBe(false);
  });

  test("does not start with another key than the declared hostname's, and says what tor says", async () => {
    const folder = await stage.layOut("foreign", stage.key);
    const secretKey = path.join(folder, "hs_ed25519_secret_key");
    fs.rmSync(secretKey);
    fs.writeFileSync(secretKey, formatSecretKeyFile(generateOnionKey()));
    await expect(stage.start("foreign", folder)).rejects.toThrow(
      /^tor \(foreign\) ended with exit code 1:\n.*does not match/s,
    );
  });

  test("serves an authorized client only, once it has its key", async () => {
    const guarded = generateOnionKey();
    const own = onionHostname(guarded.publicKey);
    const friend = newClientAuthorization();
    const running = await stage.start(
      "guarded",
      await stage.layOut("guarded", guarded, { friend: friend.publicLine }),
      own,
    );
    const get = (deadlineMs: number) => fetchOnion(network.client.socksPort, `http://${own}/`, { deadlineMs });
    await expect(get(3_000)).rejects.toThrow(/^no answer from /);
    await authorizeClient(network, own, friend);
    expect((await get(30_000)).status).toBe(200);
    await running.close();
  }, 120_000);

  test("a page that nobody serves is an error after the deadline", async () => {
    const nowhere = `http://${onionHostname(generateOnionKey().publicKey)}/`;
    await expect(fetchOnion(network.client.socksPort, nowhere, { deadlineMs: 1_500 })).rejects.toThrow(
      new RegExp(`^no answer from ${nowhere} within 1500 ms \\(\\d+ tries\\): `),
    );
  });

  test("ends every process when it is closed, twice without harm", async () => {
    const { pid } = network.client.process;
    await network.close();
    expect(await gone(pid, 1_000)).toBe(true);
    await network.close();
    const connection = net.connect(network.client.socksPort, "127.0.0.1");
    await expect(new Promise((_, reject) => connection.once("error", reject))).rejects.toThrow("ECONNREFUSED");
  });
});

withTor(
  `a port that is taken at the last moment is exchanged for another, and nothing is left of the first try${skipped}`,
  async () => {
    // The first tor to start finds its port taken; the other relays start all the same, a moment later.
    const tor = path.join(directory, "unlucky-tor");
    const taken = "echo '[warn] Could not bind to 127.0.0.1:4711: Address already in use'; exit 1";
    fs.writeFileSync(
      tor,
      `#!/bin/sh\nmkdir "$0.first" 2>/dev/null && { ${taken}; }\necho $$ >> "$0.pids"\nexec tor "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const network = await startTorNetwork({ directory: path.join(directory, "retried"), tor });
    expect(network.client.socksPort).toBeGreaterThan(0);
    await network.close();
    const pids = fs.readFileSync(`${tor}.pids`, "utf8").trim().split("\n").map(Number);
    expect(pids).toHaveLength(10); // four relays of the first try, then five and the client
    expect(await Promise.all(pids.map((pid) => gone(pid, 1_000)))).toEqual(Array(10).fill(true));
  },
  120_000,
);

withTor(`tor ends when the process that started it is killed${skipped}`, async () => {
  const own = path.join(directory, "orphan");
  // The parent starts tor as the rehearsal does, tells its process id and is then killed without a chance to clean up.
  const program = path.join(directory, "parent.ts");
  const source = path.resolve("test/rehearsal/tor/process");
  fs.writeFileSync(
    program,
    `import { startTor } from ${JSON.stringify(source)};
     startTor("tor", ${JSON.stringify(own)}, ["DisableNetwork 1", "SocksPort 0"]).then((tor) => console.log(tor.pid));
     setInterval(() => {}, 1000);`,
  );
  const parent = spawn(process.execPath, ["components/start/run.mjs", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
  expect(await gone(pid, 0)).toBe(false);
  parent.kill("SIGKILL");
  expect(await gone(pid, 5_000)).toBe(true);
});

withTor(`a torrc that tor refuses is an error with tor's reason${skipped}`, async () => {
  await expect(startTor("tor", path.join(directory, "refused"), ["NoSuchOption 1"])).rejects.toThrow(
    /^tor \(refused\) ended with exit code 1:\n.*Unknown option 'NoSuchOption'/s,
  );
});

test("a tor that is not there is an error", async () => {
  await expect(startTor(path.join(directory, "no-tor"), path.join(directory, "absent"), [])).rejects.toThrow(
    /^tor \(absent\) does not start: spawn .*ENOENT$/,
  );
});

test("a folder whose path is too long for a socket is an error before tor starts", async () => {
  const long = path.join(directory, "x".repeat(100));
  await expect(startTor("tor", long, [])).rejects.toThrow(
    /^the path of tor's control socket has \d+ bytes, at most 103 /,
  );
  expect(fs.existsSync(long)).toBe(false);
});
