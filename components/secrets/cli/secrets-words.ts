import { type Command, stackOption } from "../../command-line/command";

/** What `npm run secrets` can be asked. */
export const secretsCommand = {
  name: "secrets",
  about: "What is declared, for whom, sealed when and still the same as its source; and what a person does with one.",
  actions: {
    list: { about: "a table of all secrets" },
    show: { word: "NAME", about: "print one in clear, to a terminal" },
    edit: { word: "NAME", about: "open one in $VISUAL or $EDITOR, in memory" },
    reseal: { word: "NAME", about: "read its source again and seal what it says" },
    adopt: { word: "NAME", about: "take a sealed file as it is into its record, after sops has changed it" },
  },
  options: {
    stack: stackOption,
    json: { about: "the table as JSON", actions: ["list"] },
    offline: { about: "ask no vault whether they open", actions: ["list"] },
    all: { about: "every secret that has a source", actions: ["reseal"], insteadOfWord: true },
    force: { about: "into a pipe or a file, too", actions: ["show"] },
  },
  exitCodes: { 0: "done", 1: "it failed, and the line says why", 2: "a word that is not known" },
  notes: ["Where several stacks are here and none is selected, the table shows all of them."],
} as const satisfies Command;
