import { runChild } from "../../../components/process/child-process";
import type { Fixtures } from "./fixtures";

/** Where the sources lie that the guest is evaluated against: unpacked trees, never part of this repository. */
export interface Sources {
  readonly nixpkgs: string;
  readonly sopsNix: string;
}

/** A unit as NixOS renders it. `asDropinIfExists`: it may only add to one that systemd itself brings. */
export interface Unit {
  readonly text: string;
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
  readonly overrideStrategy: "asDropin" | "asDropinIfExists";
}

/** A machine's units, and the names of ours. */
export interface Units {
  readonly units: Readonly<Record<string, Unit>>;
  readonly confined: readonly string[];
}

/** The example stack's machine, as `nix/eval/default.nix` describes it. */
export interface Example extends Units {
  readonly holds: Readonly<Record<string, boolean>>;
  readonly assertions: readonly string[];
  readonly warnings: readonly string[];
  readonly golden: Readonly<Record<string, unknown>>;
  readonly image: string;
}

/** What `nix/eval/default.nix` says, by attribute. */
export interface Evaluated {
  readonly example: Example;
  readonly variants: Readonly<Record<string, boolean>>;
  readonly openbao: Units;
  readonly fleet: {
    readonly holds: Readonly<Record<string, boolean>>;
    readonly replica: Units;
    readonly frontEnd: Units;
  };
  readonly plain: Readonly<Record<string, boolean>>;
  readonly alone: Readonly<Record<string, boolean>>;
  readonly refusals: Readonly<Record<string, { readonly expected: string; readonly failures: readonly string[] }>>;
  readonly tests: Readonly<Record<string, { readonly derivation: string; readonly script: string }>>;
}

/**
 * Evaluates one attribute of `nix/eval/default.nix`. Nothing is built and no store is written; nixpkgs itself asks for Nix 2.18 or later.
 * @throws with Nix's own message, if it does not evaluate
 */
export async function evaluate<Name extends keyof Evaluated>(name: Name, sources: Sources): Promise<Evaluated[Name]> {
  const given = ["-A", name, "--arg", "nixpkgs", sources.nixpkgs, "--arg", "sops-nix", sources.sopsNix];
  return (await evaluateFile("nix/eval/default.nix", given)) as Evaluated[Name];
}

/** Evaluates what the VM tests' machines are given, for the loopback Azure in this file. @throws with Nix's own message */
export async function evaluateFixtures(bundle: string, { nixpkgs }: Sources): Promise<Fixtures> {
  const given = ["--arg", "nixpkgs", nixpkgs, "--argstr", "bundle", bundle];
  return (await evaluateFile("nix/tests/fixtures-by-hand.nix", given)) as Fixtures;
}

/** A guest's folder that a project put together, as its own flake says it. */
export interface Packaged {
  readonly stacks: readonly string[];
  /** Derivations. */
  readonly image: string;
  readonly system: string;
  readonly assertions: readonly string[];
  /** Whether a service shows the folder's pages. */
  readonly pages: Readonly<Record<string, boolean>>;
  /** What the project's host file says. */
  readonly host: string;
}

/** @param guest the folder's whole path @throws with Nix's own message, if it does not evaluate */
export async function evaluatePackaged(guest: string, stack: string, sources: Sources): Promise<Packaged> {
  const given = ["--arg", "nixpkgs", sources.nixpkgs, "--arg", "sops-nix", sources.sopsNix];
  const folder = ["--arg", "guest", guest, "--argstr", "stack", stack];
  return (await evaluateFile("nix/eval/packaged.nix", [...given, ...folder])) as Packaged;
}

async function evaluateFile(file: string, given: readonly string[]): Promise<unknown> {
  const options = ["--store", "dummy://", "--eval", "--strict", "--json"];
  const { code, stdout, stderr } = await runChild("nix-instantiate", [...options, file, ...given]);
  if (code !== 0) throw new Error(`${file} does not evaluate (${given.join(" ")}):\n${stderr.trim()}`);
  return JSON.parse(stdout.toString("utf8"));
}
