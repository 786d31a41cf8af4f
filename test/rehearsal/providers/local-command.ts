import { randomBytes } from "node:crypto";
import { changes, detailedDiff } from "loopback-azure/provider/property-diff";
import type { CheckFailure, CreateRequest, ResourceLog, ResourceProvider } from "loopback-azure/provider/provider";
import { containsUnknown, isMap, isUnknown, type PropertyMap, plainMap, UNKNOWN } from "loopback-azure/provider/values";
import { killCommands, runCommand } from "./command-run";

export interface LocalCommandOptions {
  /** Where commands without `dir` run: the folder of the Pulumi program. */
  folder: string;
  /** What commands inherit. @default this process's own */
  environment?: NodeJS.ProcessEnv;
}

type Asked = Pick<CreateRequest, "urn" | "gone">;

const TYPE = "command:local:Command";
const TEXTS = ["create", "delete", "dir", "stdin", "update"];
const LOGGING = ["stdout", "stderr", "stdoutAndStderr", "none"];
/** The inputs that we know. `assetPaths` and `archivePaths` are pulumi-command's too, and refused: nothing here uses them. */
const INPUTS = [...TEXTS, "addPreviousOutputInEnv", "environment", "interpreter", "logging", "triggers"];

function isText(value: unknown): boolean {
  return typeof value === "string" || isUnknown(value);
}

function wrongInput(name: string, value: unknown): string | undefined {
  if (!INPUTS.includes(name)) return `unknown property '${name}'`;
  if (isUnknown(value)) return undefined;
  if (TEXTS.includes(name) && typeof value !== "string") return `'${name}' must be a string`;
  if (name === "addPreviousOutputInEnv" && typeof value !== "boolean") return `'${name}' must be a boolean`;
  if (name === "logging" && !LOGGING.includes(String(value))) return `'logging' must be one of ${LOGGING.join(", ")}`;
  if (name === "environment" && !(isMap(value) && Object.values(value).every(isText)))
    return "'environment' must be a map of strings";
  if (name === "interpreter" && !(Array.isArray(value) && value.every(isText)))
    return "'interpreter' must be a list of strings";
  if (name === "triggers" && !Array.isArray(value)) return "'triggers' must be a list";
  return undefined;
}

function failuresOf(inputs: PropertyMap): CheckFailure[] {
  return Object.entries(inputs).flatMap(([property, value]): CheckFailure[] => {
    const reason = wrongInput(property, value);
    return reason === undefined ? [] : [{ property, reason }];
  });
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What a previous run printed, as its successor's environment. */
function previousOutput(inputs: PropertyMap, outputs: PropertyMap): Record<string, string> {
  if (inputs.addPreviousOutputInEnv === false) return {};
  const { stdout, stderr } = outputs;
  return {
    ...(text(stdout) !== "" && { PULUMI_COMMAND_STDOUT: text(stdout) }),
    ...(text(stderr) !== "" && { PULUMI_COMMAND_STDERR: text(stderr) }),
  };
}

/** What was printed is no secret, whatever it was made of (pulumi-command issue 260). */
function stateOf(inputs: PropertyMap, printed: PropertyMap): PropertyMap {
  return { ...inputs, ...printed };
}

/** Whether a preview can still tell what the command prints: an input that was not there before does not count. */
function willPrintTheSame(inputs: PropertyMap, oldInputs: PropertyMap): boolean {
  const [now, old] = [plainMap(inputs), plainMap(oldInputs)];
  const isKept = (name: string) => now[name] !== undefined && changes(old[name], now[name]).length === 0;
  return !containsUnknown(inputs) && Object.keys(old).every(isKept);
}

/**
 * `command:local:Command` as pulumi-command 1.2.1 does it (provider/pkg/provider/local): `create` also updates where there
 * is no `update`, a change of `triggers` replaces, nothing runs in a preview, standard output loses one newline at its end,
 * and the program inherits the provider's environment, then `environment`, then what the previous run printed.
 */
export function localCommand(options: LocalCommandOptions): ResourceProvider {
  let log: ResourceLog = () => {};
  const inherited = options.environment ?? process.env;

  async function run(
    { urn, gone }: Asked,
    command: unknown,
    state: PropertyMap,
    previous: PropertyMap,
  ): Promise<PropertyMap> {
    const inputs = plainMap(state);
    const { logging = "stdoutAndStderr", interpreter } = inputs;
    const given = isMap(inputs.environment) ? (inputs.environment as Record<string, string>) : {};
    const hasInterpreter = Array.isArray(interpreter) && interpreter.length > 0;
    return {
      ...(await runCommand({
        interpreter: hasInterpreter ? interpreter.map(String) : ["/bin/sh", "-c"],
        command: text(command),
        folder: text(inputs.dir) || options.folder,
        environment: { ...inherited, ...given, ...previousOutput(inputs, plainMap(previous)) },
        stdin: text(inputs.stdin),
        log: {
          stdout: logging === "stdout" || logging === "stdoutAndStderr",
          stderr: logging === "stderr" || logging === "stdoutAndStderr",
          line: (line) => log(urn, line),
        },
        gone,
      })),
    };
  }

  return {
    package: "command",
    version: "1.2.1",
    onLog(to) {
      log = to;
    },
    async check({ type, news }) {
      if (type !== TYPE) throw new Error(`${type} is not simulated`);
      return { inputs: news, failures: failuresOf(plainMap(news)) };
    },
    async diff({ oldInputs, news }) {
      return { detailed: detailedDiff(plainMap(oldInputs), plainMap(news), ["triggers"]), deleteBeforeReplace: false };
    },
    async create({ name, inputs, preview, ...asked }) {
      const printed = preview ? { stdout: UNKNOWN, stderr: UNKNOWN } : await created(asked, inputs);
      const id = preview ? "" : `${name}${randomBytes(4).toString("hex")}`;
      return { id, outputs: stateOf(inputs, printed) };
    },
    async update({ inputs, oldInputs, oldOutputs, preview, ...asked }) {
      const { stdout, stderr } = plainMap(oldOutputs);
      const command = plainMap(inputs).update ?? plainMap(inputs).create;
      if (preview) {
        const printed = willPrintTheSame(inputs, oldInputs) ? { stdout, stderr } : { stdout: UNKNOWN, stderr: UNKNOWN };
        return stateOf(inputs, printed);
      }
      if (command === undefined) return stateOf(inputs, { stdout, stderr });
      return stateOf(inputs, await run(asked, command, inputs, oldOutputs));
    },
    async read({ inputs, outputs }) {
      return { inputs, outputs };
    },
    async delete({ inputs, outputs, ...asked }) {
      const command = plainMap(inputs).delete;
      if (command !== undefined) await run(asked, command, inputs, outputs);
    },
    async invoke(token) {
      throw new Error(`${token} is not simulated`);
    },
    cancel: killCommands,
  };

  async function created(asked: Asked, inputs: PropertyMap): Promise<PropertyMap> {
    const command = plainMap(inputs).create;
    return command === undefined ? { stdout: "", stderr: "" } : run(asked, command, inputs, {});
  }
}
