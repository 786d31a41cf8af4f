import { spawn } from "node:child_process";
import * as path from "node:path";

/** Starts the program that PROGRAM names and waits for it, as Pulumi does. */
const root = path.resolve(path.dirname(process.argv[1] ?? ""), "../../../..");
spawn(process.execPath, [path.join(root, "components/start/run.mjs"), `${process.env.PROGRAM}`], { stdio: "inherit" });
