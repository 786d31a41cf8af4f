import { type Command, stackOption, type Words } from "../../command-line/command";

/** What `npm run status` can be asked. */
export const statusCommand = {
  name: "status",
  about:
    "What the stack's machine says of itself, what Pulumi and Azure say of it, and in one line what is wrong and what to type.",
  options: {
    stack: stackOption,
    json: { about: "the machine's own words and the verdict, as one JSON line" },
    prometheus: { about: "the same as metrics in Prometheus's text format" },
    watch: { about: "again at each change, until Ctrl-C" },
    logs: { about: "the journal that sealed-onion:logs has handed out, opened with your age or SSH key" },
    probe: { about: "fetch each address over Tor, too (needs tor and curl on PATH)" },
  },
  exitCodes: { 0: "it serves", 1: "it does not", 2: "a word that is not known", 3: "nobody could be asked" },
} as const satisfies Command;

export type StatusOptions = Words<typeof statusCommand>["options"];
