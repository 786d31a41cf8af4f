import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { findOnPath } from "../../components/process/find-program";
import { nixStoreEnvironment } from "../rehearsal/nix-store";

/** A Nix store of its own: its paths are called /nix/store/…, and lie below its folder. */
export interface ScratchStore {
  readonly folder: string;
  /** For people who run Nix. */
  readonly env: Readonly<Record<"NIX_CONFIG" | "NIX_REMOTE", string>>;
  /** Builds a Nix expression of derivations by /bin/sh, see `trivial`. @returns the store path */
  build(expression: string): string;
  /** Where a store path's content lies. */
  real(path: string): string;
  /** Whether Nix takes it for whole. */
  isValid(path: string): boolean;
  remove(): void;
}

const programs = ["nix", "nix-store", "nix-env", "busybox", "zstd"];

/** Why there can be no scratch store here; undefined where there can. */
export const noScratchStore: string | undefined = whyNot();

function whyNot(): string | undefined {
  const missing = programs.filter((program) => !findOnPath(program));
  if (missing.length > 0) return `no ${missing.join(", ")} on PATH`;
  const store = openScratchStore();
  try {
    store.build(trivial("probe", 'echo "" > $out'));
    return undefined;
  } catch {
    return "Nix cannot build in a sandbox here: it needs root, or user namespaces";
  } finally {
    store.remove();
  }
}

/** A derivation that needs no other program than the shell's own. @param uses expressions whose results it mentions */
export function trivial(name: string, script: string, uses: Readonly<Record<string, string>> = {}): string {
  const env = Object.entries(uses).map(([variable, expression]) => `${variable} = ${expression};`);
  const command = JSON.stringify(script).replaceAll("${", "\\${");
  return `(derivation { name = "${name}"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" ${command} ]; PATH = "/bin"; ${env.join(" ")} })`;
}

export function openScratchStore(): ScratchStore {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "nix-store-"));
  const env = nixStoreEnvironment(folder);
  const run = (command: string[]) => {
    const result = spawnSync(command[0] ?? "", command.slice(1), { env: { ...process.env, ...env }, encoding: "utf8" });
    return { ok: result.status === 0, stdout: result.stdout, stderr: result.stderr };
  };
  return {
    folder,
    env,
    build(expression) {
      const file = path.join(folder, "expression.nix");
      fs.writeFileSync(file, expression);
      const { ok, stderr, stdout } = run(["nix", "build", "-f", file, "--no-link", "--json"]);
      if (!ok) throw new Error(stderr);
      const [built] = JSON.parse(stdout) as { outputs: { out: string } }[];
      return built?.outputs.out ?? "";
    },
    real: (name) => path.join(folder, name),
    isValid: (name) => run(["nix-store", "--check-validity", name]).ok,
    remove: () => {
      spawnSync("chmod", ["-R", "u+w", folder]);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
