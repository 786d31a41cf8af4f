import { endWithParent } from "../../process/child-process";
import { runMain } from "../../process/run-main";
import { readArguments } from "./arguments";

/** `npm run secrets`: a view of all secrets, and what a person does with one. See `usage` for its forms. */
async function main(): Promise<void> {
  const { action, name = "", stack, json, force, all, offline } = readArguments(process.argv.slice(2));
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
  console.log(json ? JSON.stringify(views, null, 2) : tableText(views));
}

endWithParent();
runMain(main);
