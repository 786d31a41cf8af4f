import * as path from "node:path";
import { stacksFolder } from "./project";

/** Where the stacks' folders lie, relative to the project's root. */
export const STACKS = stacksFolder();

/** The folder of what a stack's image is made of: its facts and its sealed files. Relative to the project's root. */
export function stackFolder(stack: string): string {
  return path.join(STACKS, stack);
}
