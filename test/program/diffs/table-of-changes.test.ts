import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { previewComment } from "../../../components/preview/comment";
import { readPlan } from "../../../components/preview/plan";
import { Cleanup } from "../../rehearsal/cleanup";
import { changesOf, type Engine, type EngineRun, roleOf } from "../../rehearsal/engine/engine";
import { type PulumiEngine, startPulumi } from "../../rehearsal/engine/pulumi";
import { skippedFor } from "../../rehearsal/engine/tools";
import { copyProgram } from "../../rehearsal/workspace";
import { configure, standIns, startStack } from "./test-stack";

type Settings = Readonly<Record<string, unknown>>;

/** One change after the other, of one stack; the table that they are of is in components/stack/day-two.md. */
interface Row {
  readonly what: string;
  /** Dials, which stay for the rows after it. */
  readonly dials?: Settings;
  /** A file and its new text. */
  readonly file?: readonly [name: string, text: string];
  /** What is done, a replacement as one; undefined where it is long, and only to be what was said. */
  readonly done?: readonly string[];
  /** In the comment's headline. */
  readonly service: string;
}

const SYSTEM = ["update system-build", "update system-publish", "update vm-machine"];
const MACHINE = ["vm-address", "vm-card", "vm-generation", "vm-machine"].map((role) => `replace ${role}`);
const IMAGE = ["replace image-image", "update image-build", "update image-upload", "update vm-prune"];
const OPEN = "stays up; where tor or its settings change, it is away for about 4 to 6 seconds; another kernel";

const ROWS: readonly Row[] = [
  { what: "nothing", done: [], service: "**Nothing changes.**" },
  { what: "a page", file: ["nix/site/page.html", "1"], done: SYSTEM, service: "The service stays up.**" },
  {
    what: "packages or the kernel",
    file: ["nix/flake.lock", "{}"],
    done: SYSTEM,
    service: `${OPEN} waits for a reboot`,
  },
  {
    what: "a port",
    dials: { services: { web: { key: "onion-key", ports: { "8080": "site" } } } },
    done: SYSTEM,
    service: "is away for about 4 to 6 seconds, as tor restarts.",
  },
  {
    what: "a secret",
    file: ["token.txt", "another token"],
    done: [...SYSTEM, "update token-seal"],
    service: "Secrets: 1 sealed again. The service stays up.",
  },
  { what: "reboots by itself", dials: { reboot: "auto" }, done: SYSTEM, service: "The service stays up." },
  { what: "the kernel again", file: ["nix/flake.lock", "{ }"], done: SYSTEM, service: `${OPEN} takes a minute or two` },
  { what: "an older page", file: ["nix/site/page.html", "0"], done: SYSTEM, service: "The service stays up." },
  {
    what: "the VM's size",
    dials: { vmSize: "Standard_B2ms" },
    done: ["update vm-machine"],
    service: "is away for about 2 to 4 minutes",
  },
  {
    what: "the image",
    dials: { image: { generation: 2 } },
    done: [...MACHINE, ...IMAGE, "update system-publish"],
    service: "is away for seconds at most",
  },
  { what: "the OS disk", dials: { osDisk: { type: "Premium_LRS" } }, service: "is away for seconds at most" },
  { what: "a data disk", dials: { dataDisk: { sizeGib: 8 } }, service: "is away for about 4 to 7 minutes" },
  {
    what: "the image, with a data disk",
    dials: { image: { generation: 3 } },
    service: "is away for about 4 to 7 minutes",
  },
];

/** As the comment counts. */
function kindsOf(run: EngineRun): string[] {
  const kinds = changesOf(run).map((change) => change.replace(/^(create-replacement|delete-replaced) /, "replace "));
  return [...new Set(kinds)].sort();
}

function plannedIn(json: string): string[] {
  const real = readPlan(json).changes.filter(
    ({ kind, type }) => kind !== "same" && !/^(sealed-onion|pulumi):/.test(type),
  );
  return real.map(({ kind, name }) => `${kind} ${roleOf("dev", name)}`).sort();
}

/** @param start the engine, and the folder of its program */
function tell(start: (cleanup: Cleanup) => Promise<{ engine: Engine; folder: string }>): void {
  const cleanup = new Cleanup();
  let stack: { engine: Engine; folder: string };
  let dials: Settings = { update: "inPlace" };
  beforeAll(async () => {
    stack = await start(cleanup);
    await stack.engine.setConfig(configure(dials));
    await stack.engine.up();
  }, 240_000);
  afterAll(() => cleanup.run(), 60_000);

  it.each(ROWS)(
    "$what",
    async ({ dials: turned, done, file, service }) => {
      const { engine, folder } = stack;
      dials = { ...dials, ...turned };
      await engine.setConfig(configure(dials));
      if (file) {
        fs.mkdirSync(path.dirname(path.join(folder, file[0])), { recursive: true });
        fs.writeFileSync(path.join(folder, file[0]), file[1]);
      }
      const json = await engine.previewJson();
      const planned = plannedIn(json);
      expect(previewComment(readPlan(json))).toContain(service);
      expect(kindsOf(await engine.up())).toEqual(planned);
      if (done) expect(planned).toEqual([...done].sort());
    },
    120_000,
  );
}

describe("what a preview says of each change, and how long it takes, is what up does: the engine in process", () => {
  tell(async (cleanup) => {
    const stack = startStack();
    cleanup.add(() => stack.close());
    return stack;
  });
});

const skipped = skippedFor("pulumi");
describe.skipIf(skipped)(`the same under Pulumi's own engine${skipped}`, () => {
  let started: { engine: PulumiEngine; folder: string };
  tell(async (cleanup) => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "so-table-"));
    cleanup.add(() => fs.rmSync(root, { recursive: true }));
    const [folder, home] = [path.join(root, "program"), path.join(root, "home")];
    for (const one of [folder, home]) fs.mkdirSync(one);
    copyProgram(process.cwd(), folder);
    fs.writeFileSync(path.join(folder, "token.txt"), "the first token", { mode: 0o600 });
    const { providers } = standIns(folder);
    const engine = await startPulumi({ folder, home, stack: "dev", config: configure(), providers });
    cleanup.add(() => engine.close());
    started = { engine, folder };
    return started;
  });

  // failures.md and day-two.md type it.
  it.each([
    ["a system once more", "**::system-*-publish", ["publish replaced", "machine updated"]],
    ["systems of another key", "**::system-*-signing-key", ["signing-key replaced"]],
  ])(
    "asked for %s, up does that alone",
    async (_, wanted, expected) => {
      const { engine, folder } = started;
      const quiet = ["--yes", "--skip-preview", "--non-interactive", "--color", "never", "--stack", "dev"];
      const options = { cwd: folder, env: engine.environment, maxBuffer: 1 << 26 };
      const { stdout } = await promisify(execFile)("pulumi", ["up", "--replace", wanted, ...quiet], options);
      const done = [...stdout.matchAll(/-([a-z-]+) (replaced|updated|created|deleted) \(/g)].map(
        ([, role = "", what]) => {
          return `${role.replace(/^.*westeurope-/, "")} ${what}`;
        },
      );
      expect([...new Set(done)], stdout).toEqual(expect.arrayContaining(expected));
      expect(done.filter((line) => /image|vault/.test(line))).toEqual([]);
    },
    120_000,
  );
});
