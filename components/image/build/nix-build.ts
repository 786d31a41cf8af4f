import * as fs from "node:fs";
import * as path from "node:path";
import { runNix } from "../../process/nix";
import { makeFolder } from "../../process/on-disk";
import { DISK_NAME } from "../disk/disk-file";
import { guestFolder } from "../guest-folder";
import { diskLink } from "./disk-link";

const WAYS_OUT =
  "set image.vhd to a disk that was built elsewhere, image.builder to a command that builds it, " +
  "or give Nix a remote builder (https://nix.dev/manual/nix/latest/advanced-topics/distributed-builds)";

/** A stack's image. */
export interface NixImage {
  readonly stack: string;
  /** Names the link to what is built, see `imageDigest()`. */
  readonly digest: string;
  /** Of the machine that boots it, whatever builds it: `x86_64-linux`. */
  readonly system: string;
}

/**
 * Builds a stack's image with the user's Nix as it is set up, remote builders and binary caches included. Nix's own
 * progress goes to standard error.
 * @param kvm the device that virtual machines need
 * @returns the path of the VHD, below a link that is a root for Nix's garbage collection
 */
export async function nixBuild({ digest, stack, system }: NixImage, kvm = "/dev/kvm"): Promise<string> {
  const target = `path:./${guestFolder(stack)}#packages.${system}.image-${stack}`;
  if (!(await canBuildDisks(kvm))) await checkCached(target);
  const link = diskLink(stack, digest);
  makeFolder(path.dirname(link));
  const { code, signal } = await nix(["build", target, "--out-link", link, "--print-build-logs"], "inherit");
  if (code !== 0)
    throw new Error(`nix build ${target} failed: ${signal ?? `exit code ${code}`}: its reason stands above`);
  return findDisk(link);
}

/** NixOS makes a disk inside a VM: it takes KVM here, or a builder elsewhere. */
async function canBuildDisks(kvm: string): Promise<boolean> {
  if (fs.existsSync(kvm)) return true; // whether its builders may use it, Nix finds out
  const { code, stderr, stdout } = await nix(["show-config", "--json"], "collect");
  if (code !== 0) throw new Error(`nix show-config failed: ${stderr.trim()}`);
  const settings = JSON.parse(stdout.toString("utf8")) as Record<string, { value?: unknown } | undefined>;
  const builders = `${settings.builders?.value ?? ""}`.trim();
  const features = settings["system-features"]?.value;
  return hasBuilders(builders) || (Array.isArray(features) && features.includes("kvm"));
}

/** `builders` lists machines, or names a file that lists them, one a line, among comments. */
function hasBuilders(builders: string): boolean {
  if (!builders.startsWith("@")) return builders !== "";
  const file = builders.slice(1);
  return fs.existsSync(file) && /^[^\S\n]*[^#\s]/m.test(fs.readFileSync(file, "utf8"));
}

/** Without a place to build it, the image may still come from a binary cache: Nix can tell before it downloads anything. */
async function checkCached(target: string): Promise<void> {
  console.error("no /dev/kvm and no remote builder: asking Nix whether a binary cache has the image");
  const { code, stderr, stdout } = await nix(["build", target, "--dry-run", "--json"], "collect");
  if (code !== 0) throw new Error(`nix build ${target} failed: ${stderr.trim()}`);
  const [{ drvPath = "" } = {}] = JSON.parse(stdout.toString("utf8")) as { drvPath?: string }[];
  const [, willBeBuilt = ""] = /will be built:\n((?:\s+\/\S+\n?)*)/.exec(stderr) ?? [];
  if (!drvPath || !willBeBuilt.includes(path.basename(drvPath))) return;
  throw new Error(`Nix cannot build a disk on this machine, /dev/kvm is missing: ${WAYS_OUT}`);
}

function nix(command: readonly string[], stderr: "inherit" | "collect") {
  return runNix(command, stderr === "inherit" ? stderr : undefined, WAYS_OUT);
}

function findDisk(link: string): string {
  const disks = fs.readdirSync(link).filter((name) => DISK_NAME.test(name));
  const [disk, ...others] = disks;
  if (disk && others.length === 0) return path.join(link, disk);
  throw new Error(
    `'${link}' should hold one disk, it holds ${disks.join(", ") || "none"}: check system.build.azureImage`,
  );
}
