import * as fs from "node:fs";
import * as path from "node:path";

/** Which resource groups this checkout has begun to make, one file each: what a crash leaves is found by it. */
const folderOf = (home: string) => path.join(home, "runs");

export function remember(home: string, group: string): void {
  fs.mkdirSync(folderOf(home), { recursive: true });
  fs.writeFileSync(path.join(folderOf(home), group), "");
}

export function forget(home: string, group: string): void {
  fs.rmSync(path.join(folderOf(home), group), { force: true });
}

export function begun(home: string): string[] {
  return fs.existsSync(folderOf(home)) ? fs.readdirSync(folderOf(home)) : [];
}
