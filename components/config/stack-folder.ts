import * as fs from "node:fs";
import * as path from "node:path";
import { stacksFolder } from "./project";

/** Where the stacks' folders lie, relative to the project's root. */
export const STACKS = stacksFolder();

/** The folder of what a stack's image is made of: its facts and its sealed files. Relative to the project's root. */
export function stackFolder(stack: string): string {
  return path.join(STACKS, stack);
}

/** What the front end of a stack is called: its folder, its image, its machines. */
export function frontEndOf(stack: string): string {
  return `${stack}-front-end`;
}

/** The stacks that have a folder. A front end's is no stack's own: it is beside its stack's, and called like it. */
export function foldersOfStacks(): string[] {
  const entries = fs.existsSync(STACKS) ? fs.readdirSync(STACKS, { withFileTypes: true }) : [];
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
  const frontEnds = names.map(frontEndOf);
  return names.filter((name) => !frontEnds.includes(name)).sort();
}
