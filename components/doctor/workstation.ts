import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { findOnPath } from "../process/find-program";
import { howToInstall, type ToolName } from "../process/tools";
import type { BuildNeeds } from "./build-needs";
import type { Finding } from "./finding";

const run = promisify(execFile);
const IN_PLACE = "packs what machines take in place";

/** What has to be installed, in the order in which a deployment meets it. */
export function examineWorkstation({ nix, zstd }: BuildNeeds): Promise<Finding[]> {
  return Promise.all([
    checkNode(),
    checkProgram("pulumi", ["version"], "deploys; previews and updates need it"),
    checkLanguageHost(),
    checkProgram("sops", ["--disable-version-check", "--version"], "seals the secrets"),
    nix ? checkNix() : optional("nix", ["--version"], "not for a disk that is built elsewhere"),
    zstd ? checkProgram("zstd", ["--version"], IN_PLACE) : optional("zstd", ["--version"], `only ${IN_PLACE}`),
    checkKvm(),
    optional("tor", ["--version"], "only for rehearsals and tests"),
    optional("mkp224o", [], "only to find long vanity addresses sooner"),
    optional("pass", [], "only for secrets that come from the password store"),
  ]);
}

/** `run.mjs` has refused what is too old for us; what Pulumi's SDK asks for is said by its own package. */
function checkNode(): Finding {
  const { node } = process.versions;
  const file = path.join("node_modules", "@pulumi", "pulumi", "package.json");
  const { engines = {} } = JSON.parse(fs.readFileSync(file, "utf8")) as { engines?: { node?: string } };
  const asked = Number(/\d+/.exec(engines.node ?? "")?.[0] ?? 0);
  if (Number(node.split(".")[0]) >= asked) return { name: "Node", state: "ok", found: node };
  const found = `${node} works today; Pulumi's SDK asks for ${engines.node}`;
  return { name: "Node", state: "warning", found, type: `nvm install ${asked}` };
}

/** Pulumi starts the program by this; some packages of Pulumi come without it. */
function checkLanguageHost(): Finding {
  const name = "Node for Pulumi";
  const pulumi = findOnPath("pulumi");
  if (pulumi === undefined) return { name, state: "optional", found: "comes with Pulumi" };
  const host = "pulumi-language-nodejs";
  const beside = path.join(path.dirname(fs.realpathSync(pulumi)), host);
  if (fs.existsSync(beside) || findOnPath(host)) return { name, state: "ok", found: host };
  const type = "take Pulumi from https://www.pulumi.com/docs/install, or nixpkgs#pulumi-bin";
  return { name, state: "missing", found: `${host} is neither beside pulumi nor on PATH`, type };
}

async function checkProgram(tool: ToolName, versionArguments: string[], why: string): Promise<Finding> {
  if (!findOnPath(tool)) {
    return { name: tool, state: "missing", found: `not on PATH (${why})`, type: howToInstall(tool) };
  }
  try {
    return { name: tool, state: "ok", found: await firstLine(tool, versionArguments) };
  } catch {
    const found = `${findOnPath(tool)} does not start`;
    return { name: tool, state: "missing", found, type: howToInstall(tool) };
  }
}

async function optional(tool: ToolName, versionArguments: string[], why: string): Promise<Finding> {
  const finding = await checkProgram(tool, versionArguments, why);
  return finding.state === "missing" ? { ...finding, state: "optional" } : finding;
}

async function checkNix(): Promise<Finding> {
  const finding = await checkProgram("nix", ["--version"], "builds the system and the image");
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(finding.found)?.slice(1) ?? []).map(Number);
  if (finding.state === "ok" && (major > 2 || (major === 2 && minor >= 18))) return finding;
  const elsewhere = "or set sealed-onion:image.vhd to an image that was built elsewhere";
  const type = `follow nixos.org/download for Nix 2.18 or later (what nixpkgs asks for), ${elsewhere}`;
  return { ...finding, state: "missing", type };
}

/** The image is put together in a VM. That the device opens is not yet that a kernel runs in it: no more is said. */
function checkKvm(): Finding {
  const name = "KVM";
  if (process.platform !== "linux") {
    return { name, state: "optional", found: `none on ${process.platform}`, type: "set a remote builder in nix.conf" };
  }
  try {
    fs.accessSync("/dev/kvm", fs.constants.R_OK | fs.constants.W_OK);
    return { name, state: "ok", found: "/dev/kvm opens; whether a build's kernel runs in it, only a build shows" };
  } catch {
    const type = "usermod -aG kvm $USER, or set a remote builder in nix.conf, or sealed-onion:image.vhd";
    return {
      name,
      state: "optional",
      found: "/dev/kvm cannot be used (the first image needs it, if it is built here)",
      type,
    };
  }
}

async function firstLine(tool: ToolName, versionArguments: string[]): Promise<string> {
  if (versionArguments.length === 0) return findOnPath(tool) ?? tool;
  const { stdout, stderr } = await run(tool, versionArguments);
  return (stdout || stderr).trim().split("\n")[0] ?? "";
}
