import { writeAsked } from "../../azure/session/asked";
import { postToSession } from "../../azure/session/session-client";
import { takeLines } from "../../process/whole-lines";

/**
 * Lets the helper of this run seal, and says what it says. `start/run.sh` does the same in a shell, where there is curl.
 * Nothing is lost where there is no helper, or it ended before its last line.
 * @param key what the command got on standard input
 * @returns the exit code; undefined where this process has to do it itself
 */
export async function sealTogether(environment: NodeJS.ProcessEnv, key: string): Promise<number | undefined> {
  const { STACK: stack } = environment;
  if (!stack) return undefined; // what seals says what is missing
  const answer = await postToSession(stack, "seal", writeAsked({ environment, input: key }));
  if (answer === undefined) return undefined;
  return new Promise((resolve) => {
    takeLines(answer, (line) => {
      const [, kind, said = ""] = /^(\w+) (.*)$/.exec(line) ?? [];
      if (kind === "log") console.error(said);
      if (kind === "result") console.log(said);
      if (kind === "result" || kind === "failed") resolve(kind === "failed" ? Number(said) : 0);
    });
    answer.once("error", () => {}).once("close", () => resolve(undefined));
  });
}
