import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { parseArgs, promisify } from "node:util";
import { findOnPath, howToInstall, type ToolName } from "../process/tools";

const run = promisify(execFile);

/** What one look at the workstation found. `type` is what to type where something is missing. */
interface Finding {
  name: string;
  state: "ok" | "missing" | "optional";
  found: string;
  type?: string;
}

type Check = () => Promise<Finding> | Finding;

/** In the order in which a deployment meets them. */
const checks: Check[] = [
  checkNode,
  checkPackages,
  () => checkProgram("pulumi", ["version"], "deploys; previews and updates need it"),
  checkAzureLogin,
  () => checkProgram("sops", ["--disable-version-check", "--version"], "seals the secrets"),
  checkNix,
  checkKvm,
  () => optionalProgram("tor", ["--version"], "only for rehearsals and tests"),
  () => optionalProgram("mkp224o", [], "only to find long vanity addresses sooner"),
  () => optionalProgram("pass", [], "only for secrets that come from the password store"),
];

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const recent = major > 20 || (major === 20 && minor >= 19);
  return recent
    ? { name: "node", state: "ok", found: process.versions.node }
    : {
        name: "node",
        state: "missing",
        found: `${process.versions.node}, needs 20.19 or later`,
        type: "nvm install 22",
      };
}

function checkPackages(): Finding {
  const installed = fs.existsSync("node_modules/@pulumi/pulumi/package.json");
  return installed
    ? { name: "npm packages", state: "ok", found: "installed" }
    : { name: "npm packages", state: "missing", found: "not installed", type: "npm ci" };
}

async function checkProgram(tool: ToolName, versionArguments: string[], why: string): Promise<Finding> {
  if (!findOnPath(tool)) {
    const type = howToInstall(tool);
    return { name: tool, state: "missing", found: `not on PATH (${why})`, type };
  }
  return { name: tool, state: "ok", found: await firstLine(tool, versionArguments) };
}

async function optionalProgram(tool: ToolName, versionArguments: string[], why: string): Promise<Finding> {
  const finding = await checkProgram(tool, versionArguments, why);
  return finding.state === "missing" ? { ...finding, state: "optional" } : finding;
}

/** Whoever logs in by a service principal or by OIDC (CI) needs no `az`. */
async function checkAzureLogin(): Promise<Finding> {
  const name = "Azure login";
  if (process.env.ARM_USE_OIDC === "true") return { name, state: "ok", found: "OIDC (ARM_USE_OIDC)" };
  if (process.env.ARM_CLIENT_ID && process.env.ARM_CLIENT_SECRET) {
    return { name, state: "ok", found: "service principal (ARM_CLIENT_ID)" };
  }
  if (!findOnPath("az")) {
    return { name, state: "missing", found: "no az on PATH, no ARM_* set", type: `${howToInstall("az")}; az login` };
  }
  const query = ["account", "show", "--query", "name", "--output", "tsv"];
  return run("az", query).then(
    ({ stdout }) => ({ name, state: "ok", found: `az, subscription ${stdout.trim()}` }),
    () => ({ name, state: "missing", found: "az is not logged in", type: "az login" }),
  );
}

async function checkNix(): Promise<Finding> {
  const finding = await checkProgram("nix", ["--version"], "builds the image");
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(finding.found)?.slice(1) ?? []).map(Number);
  if (finding.state === "ok" && (major > 2 || (major === 2 && minor >= 18))) return finding;
  const elsewhere = "or set sealed-onion:image.vhd to an image that was built elsewhere";
  const type = `follow nixos.org/download for Nix 2.18 or later (what nixpkgs asks for), ${elsewhere}`;
  return { ...finding, state: "missing", type };
}

/** The image is put together in a VM: without KVM a local build does not start, a remote builder's does. */
function checkKvm(): Finding {
  const name = "KVM";
  if (process.platform !== "linux") {
    return { name, state: "optional", found: `none on ${process.platform}`, type: "set a remote builder in nix.conf" };
  }
  try {
    fs.accessSync("/dev/kvm", fs.constants.R_OK | fs.constants.W_OK);
    return { name, state: "ok", found: "/dev/kvm" };
  } catch {
    const type = "usermod -aG kvm $USER, or set a remote builder in nix.conf, or sealed-onion:image.vhd";
    return { name, state: "optional", found: "/dev/kvm cannot be used (local image builds need it)", type };
  }
}

async function firstLine(tool: ToolName, versionArguments: string[]): Promise<string> {
  if (versionArguments.length === 0) return findOnPath(tool) ?? tool;
  const { stdout, stderr } = await run(tool, versionArguments);
  return (stdout || stderr).trim().split("\n")[0] ?? "";
}

const marks = { ok: "✓", missing: "✗", optional: "–" };

function print(findings: Finding[]): void {
  for (const { name, state, found, type } of findings) {
    console.log(`${marks[state]} ${name.padEnd(14)} ${found}`);
    if (type) console.log(`  ${"".padEnd(14)} type: ${type}`);
  }
  const missing = findings.filter(({ state }) => state === "missing").length;
  console.log(missing === 0 ? "\nready for pulumi up" : `\n${missing} missing: pulumi up would fail`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
  const findings = await Promise.all(checks.map((check) => check()));
  if (values.json) console.log(JSON.stringify(findings));
  else print(findings);
  process.exitCode = findings.some(({ state }) => state === "missing") ? 1 : 0;
}

void main();
