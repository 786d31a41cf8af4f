import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { endWithParent, runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";
import { howToInstall } from "../../components/process/tools";
import { bundleAzure } from "./nix/azure-bundle";
import { bootedDifferences, evaluateBoth, goldenRelease, writeBooted } from "./nix/booted";
import { evaluate, evaluateFixtures, type Sources, type Units } from "./nix/evaluate";
import { checkFixtures, FIXTURE_PROGRAMS } from "./nix/fixtures";
import { differences, writeGolden } from "./nix/golden";
import { checkPackaged } from "./nix/packaged";
import { exposures, tooExposed, verifyUnits, writeUnits } from "./nix/units";

const USAGE = `Evaluates the guest for real and checks what it says. Nothing is built.
  npm run check:nix -- --nixpkgs PATH --sops-nix PATH [--update]
  npm run check:nix -- --bundle    only puts the tests' Azure, as one file, where the flake sees it
PATH is an unpacked source tree; with --update the golden files in nix/eval/golden and test/rehearsal/booted/golden
and golden-fleet are written again.`;

/** What a check found wrong: none is good. */
type Problems = string[];

interface Settings {
  readonly sources: Sources;
  /** Whether the golden files are written again. */
  readonly update: boolean;
}

async function checkExample({ sources, update }: Settings): Promise<Problems> {
  const example = await evaluate("example", sources);
  console.log(`  image ${example.image}`);
  if (update) writeGolden(example.golden);
  return [
    ...example.assertions,
    ...example.warnings,
    ...untrue(example.holds),
    ...differences(example.golden).map((file) => `${file} is not what the modules produce: look, then type --update`),
    ...(await checkUnits(example)),
  ];
}

async function checkBooted({ sources, update }: Settings): Promise<Problems> {
  const { release, kept } = await evaluateBoth(sources);
  for (const [texts, folder] of kept) console.log(`  ${texts.size} texts in ${folder}`);
  if (update) for (const [texts, folder] of kept) writeBooted(texts, folder);
  const golden = goldenRelease();
  if (golden !== undefined && golden !== release) {
    console.log(`  skipped: NixOS ${release} has other texts than ${golden}, which the golden ones are of`);
    return [];
  }
  return kept
    .flatMap(([texts, folder]) => bootedDifferences(texts, folder))
    .map((file) => `${file} is not what the modules produce: look, then type --update`);
}

async function checkVariants({ sources }: Settings): Promise<Problems> {
  return untrue(await evaluate("variants", sources));
}

async function checkOpenBao({ sources }: Settings): Promise<Problems> {
  return checkUnits(await evaluate("openbao", sources));
}

async function checkPlain({ sources }: Settings): Promise<Problems> {
  return untrue(await evaluate("plain", sources));
}

async function checkFleet({ sources }: Settings): Promise<Problems> {
  const { holds, replica, frontEnd } = await evaluate("fleet", sources);
  return [...untrue(holds), ...(await checkUnits(replica)), ...(await checkUnits(frontEnd))];
}

async function checkModulesAlone({ sources }: Settings): Promise<Problems> {
  return untrue(await evaluate("alone", sources));
}

function untrue(sentences: Readonly<Record<string, boolean>>): Problems {
  console.log(`  ${Object.keys(sentences).length} sentences`);
  return Object.keys(sentences).filter((sentence) => !sentences[sentence]);
}

async function checkRefusals({ sources }: Settings): Promise<Problems> {
  const refusals = Object.entries(await evaluate("refusals", sources));
  console.log(`  ${refusals.length} mistakes`);
  return refusals
    .filter(([, { expected, failures }]) => failures.length !== 1 || failures[0] !== expected)
    .map(([name, { expected, failures }]) => `${name}: expected "${expected}", got ${JSON.stringify(failures)}`);
}

async function checkUnits({ units, confined }: Units): Promise<Problems> {
  if (!findOnPath("systemd-analyze")) {
    console.log("  units: skipped: systemd-analyze is not on PATH");
    return [];
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sealed-onion-units-"));
  try {
    writeUnits(units, folder);
    const found = await exposures(folder, confined);
    for (const [name, exposure] of found) console.log(`  exposure ${exposure.toFixed(1)} ${name}`);
    return [...(await verifyUnits(folder, confined)), ...tooExposed(found)];
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Evaluated to the last node; the drivers' Python is only compiled: to run it takes a machine with KVM (nix.yml). */
async function checkTests({ sources }: Settings): Promise<Problems> {
  const tests = Object.entries(await evaluate("tests", sources));
  const problems: Problems = [];
  for (const [name, { derivation, script }] of tests) {
    console.log(`  ${name} ${derivation}`);
    const { code, stderr } = await compilePython(name, script);
    if (code !== 0) problems.push(`${name}: ${stderr.trim()}`);
  }
  return problems;
}

/** Made by hand, with the programs that are here: a builder would make them the same way, a machine would then use them. */
async function checkTestFixtures({ sources }: Settings): Promise<Problems> {
  const missing = FIXTURE_PROGRAMS.filter((program) => !findOnPath(program));
  if (missing.length > 0) {
    console.log(`  skipped: not on PATH: ${missing.join(", ")}`);
    return [];
  }
  const bundle = path.resolve(await bundleAzure());
  return checkFixtures(await evaluateFixtures(bundle, sources), bundle);
}

function compilePython(name: string, script: string): Promise<{ code: number | null; stderr: string }> {
  const compile = "import sys; compile(sys.stdin.read(), sys.argv[1], 'exec')";
  return runChild("python3", ["-c", compile, name], { input: Buffer.from(script) });
}

const checks: Record<string, (settings: Settings) => Promise<Problems>> = {
  "the example's machine": checkExample,
  "the machine that a rehearsal boots": checkBooted,
  "its units with OpenBao's agent": checkOpenBao,
  "a machine with every default": checkPlain,
  "a replica's machine and its front end's": checkFleet,
  "its variants": checkVariants,
  "its modules in another machine": checkModulesAlone,
  "a machine of the npm package, in somebody's project": ({ sources }) => checkPackaged(sources),
  "mistakes and their words": checkRefusals,
  "the VM tests": checkTests,
  "what their machines are given": checkTestFixtures,
};

async function main(): Promise<void> {
  const flags = { update: { type: "boolean" }, bundle: { type: "boolean" } } as const;
  const options = { nixpkgs: { type: "string" }, "sops-nix": { type: "string" }, ...flags } as const;
  const { values } = parseArgs({ options });
  if (values.bundle) return console.log(await bundleAzure());
  if (!values.nixpkgs || !values["sops-nix"]) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  if (!findOnPath("nix-instantiate")) {
    throw new Error(`nix-instantiate is not on PATH: type ${howToInstall("nix-instantiate")}`);
  }
  const sources = { nixpkgs: path.resolve(values.nixpkgs), sopsNix: path.resolve(values["sops-nix"]) };
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    console.log(name);
    for (const problem of await check({ sources, update: values.update === true })) {
      failed += 1;
      console.log(`  FAILED ${problem}`);
    }
  }
  console.log(failed === 0 ? "the guest evaluates as it should" : `${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

endWithParent();
main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
