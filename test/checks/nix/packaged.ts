import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { build } from "esbuild";
import { runChild } from "../../../components/process/child-process";
import { evaluatePackaged, type Sources } from "./evaluate";

const STACK = "theirs";
const PAGE = "a page of the project's\n";
const HOST = `{ environment.etc."from-the-project".text = "theirs"; }\n`;

/**
 * A project that has installed the npm package, lays its own page and host over the guest, and builds its image. What is
 * packed is `nix/` as the package has it; its JavaScript is made of the one file that puts the folder together.
 * @returns what is wrong
 */
export async function checkPackaged(sources: Sources): Promise<string[]> {
  const project = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "sealed-onion-packaged-")));
  try {
    await installPackage(project);
    writeProject(project);
    const guest = await putTogether(project);
    const page = fs.readFileSync(path.join(guest, "site", "index.html"), "utf8");
    const { assertions, host, image, pages, stacks, system } = await evaluatePackaged(guest, STACK, sources);
    console.log(`  image ${image}`);
    const holds: Record<string, boolean> = {
      "the package brings no evaluation of its own": !fs.existsSync(path.join(guest, "eval")),
      "the guest has the project's stack alone": stacks.join() === STACK,
      "its image and its system are derivations": [image, system].every((name) => /^\/nix\/store\/.+\.drv$/.test(name)),
      "its page is the project's": page === PAGE && Object.values(pages).join() === "true",
      "its host file is the project's": host === "theirs",
    };
    return [...assertions, ...Object.keys(holds).filter((sentence) => !holds[sentence])];
  } finally {
    fs.rmSync(project, { recursive: true });
  }
}

async function installPackage(project: string): Promise<void> {
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", project];
  const [{ filename }] = JSON.parse(execFileSync("npm", pack, { encoding: "utf8" })) as [{ filename: string }];
  const folder = path.join(project, "node_modules", "sealed-onion");
  fs.mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", path.join(project, filename), "--strip-components=1", "-C", folder]);
}

function writeProject(project: string): void {
  const put = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(project, name)), { recursive: true });
    fs.writeFileSync(path.join(project, name), text);
  };
  put("package.json", '{ "name": "theirs", "private": true }\n');
  put("guest/site/index.html", PAGE);
  put(`guest/hosts/${STACK}.nix`, HOST);
  fs.cpSync(path.join("nix", "eval", "stacks", "plain"), path.join(project, "sealed", STACK), { recursive: true });
}

/** By the package's own `guestFolder`, in the project. @returns the folder's whole path */
async function putTogether(project: string): Promise<string> {
  const outfile = path.join(project, "guest-folder.cjs");
  await build({
    entryPoints: [path.join("components", "image", "guest-folder.ts")],
    ...{ outfile, bundle: true, platform: "node", target: "node20", format: "cjs", logLevel: "error" },
    define: { SHIPPED: "true" }, // as build-package.mjs
  });
  const call = `process.stdout.write(require(${JSON.stringify(outfile)}).guestFolder(${JSON.stringify(STACK)}))`;
  const { code, stdout, stderr } = await runChild("sh", [
    "-c",
    'cd "$0" && exec "$@"',
    project,
    process.execPath,
    "-e",
    call,
  ]);
  if (code !== 0) throw new Error(`the guest's folder was not put together: ${stderr.trim()}`);
  return path.join(project, stdout.toString("utf8"));
}
