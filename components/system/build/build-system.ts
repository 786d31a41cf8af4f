import * as fs from "node:fs";
import * as path from "node:path";
import { systemOf, writeFacts } from "../../image/build/facts-file";
import { guestFolder } from "../../image/guest-folder";
import { endWithParent } from "../../process/child-process";
import { required } from "../../process/environment";
import { runNix } from "../../process/nix";
import { makeFolder } from "../../process/on-disk";
import { runMain } from "../../process/run-main";

/**
 * Builds a stack's system, without a disk of it: what `SystemClosure` runs once what it is made of changed. Parameters
 * come in the environment: STACK, FACTS, and NIX_DIGEST, NIX_PARTS and SEALED, which say that something changed. One JSON line on
 * standard output, `{"system":"/nix/store/…"}`. The build's own progress goes to standard error.
 *
 * Exit codes: 1 if it could not be built, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const stack = required(process.env, "STACK");
  const facts = required(process.env, "FACTS");
  writeFacts(stack, facts);
  console.log(JSON.stringify({ system: await buildSystem(stack, systemOf(facts)) }));
}

/** The path of the system, which a link keeps from Nix's garbage collection until the next one. */
async function buildSystem(stack: string, system: string): Promise<string> {
  const target = `path:./${guestFolder(stack)}#packages.${system}.system-${stack}`;
  const link = path.join(".cache", "systems", stack);
  makeFolder(path.dirname(link));
  const { code, signal } = await runNix(["build", target, "--out-link", link, "--print-build-logs"], "inherit");
  if (code !== 0) {
    throw new Error(`nix build ${target} failed: ${signal ?? `exit code ${code}`}: its reason stands above`);
  }
  return fs.readlinkSync(link);
}

endWithParent();
runMain(main, { label: "build-system", exits: true });
