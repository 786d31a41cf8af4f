import { type Command, stackOption } from "../command-line/command";

/** What `npm run doctor` can be asked. */
export const doctorCommand = {
  name: "doctor",
  about: "What this workstation, its login and the stack's configuration lack for pulumi up. Nothing is changed.",
  options: {
    stack: stackOption,
    json: { about: "the same as JSON" },
    cost: { about: "what the stack costs a month, about" },
    role: { about: "a custom role with the rights that up needs, for az role definition create" },
  },
  exitCodes: { 0: "ready", 1: "something is missing", 2: "a word that is not known" },
} as const satisfies Command;
