import { parseArgs } from "node:util";
import { nearest } from "../config/nearest";
import { UsageError } from "../process/usage-error";

export const usage = `usage: npm run doctor -- [--stack STACK] [--json]   what this workstation and login lack for pulumi up
       npm run doctor -- --cost [--stack STACK]     what the stack costs a month, about
       npm run doctor -- --role                     a custom role with the rights that up needs, for az role definition create
exit code: 0 ready, 1 something is missing, 2 a word that is not known`;

const options = {
  stack: { type: "string" },
  json: { type: "boolean", default: false },
  cost: { type: "boolean", default: false },
  role: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** @throws UsageError with the nearest word that is known */
export function readArguments(argv: string[]) {
  const names = Object.keys(options);
  for (const word of argv.filter((_, index) => argv[index - 1] !== "--stack")) {
    const name = word.replace(/^-+/, "").replace(/=.*/, "");
    if (word === "-h" || (word.startsWith("--") && names.includes(name))) continue;
    const near = nearest(name, names);
    const remedy = near ? `did you mean --${near}` : "type npm run doctor -- --help";
    throw new UsageError(`doctor knows no ${word}: ${remedy}`);
  }
  try {
    return parseArgs({ args: argv, options }).values;
  } catch {
    throw new UsageError("--stack takes the name of a stack: type npm run doctor -- --stack dev");
  }
}
