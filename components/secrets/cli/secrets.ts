import type { Words } from "../../command-line/command";
import { runCommand } from "../../command-line/run-command";
import { endWithParent } from "../../process/child-process";
import { secretsCommand } from "./secrets-words";

/** `npm run secrets`: a view of all secrets, and what a person does with one. */
async function main({ action, word: name, options }: Words<typeof secretsCommand>): Promise<void> {
  const { all, force, json, offline } = options;
  const { meantStack } = await import("./stacks.js");
  const stack = await meantStack(options.stack);
  switch (action) {
    case "list":
      return list(stack, json, offline);
    case "show":
      return (await import("./show.js")).show(name, stack, force);
    case "edit":
      return (await import("./edit.js")).edit(name, stack);
    case "adopt":
      return (await import("./reseal.js")).adopt(name, stack);
    case "reseal": {
      const { reseal } = await import("./reseal.js");
      if (!(await reseal(all ? undefined : name, stack))) process.exitCode = 1;
    }
  }
}

async function list(stack: string | undefined, json: boolean, offline: boolean): Promise<void> {
  const { chosenStacks } = await import("./declared.js");
  const { viewSecrets } = await import("./list.js");
  const { tableText } = await import("./table.js");
  const views = await viewSecrets(chosenStacks(stack), offline);
  console.log(json ? JSON.stringify(views, null, 2) : tableText(views, process.stdout.columns));
}

endWithParent();
runCommand(secretsCommand, main);
