/** What a command was started with, and has the helper do. */
export interface Asked {
  readonly environment: NodeJS.ProcessEnv;
  /** What it got on standard input, without the end of the line. */
  readonly input: string;
}

/** As it is posted: the input, then the environment as `env -0` prints it, each with a byte of zero after it. */
export function writeAsked({ input, environment }: Asked): string {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return [input, ...variables, ""].join("\0");
}

/** @returns undefined where the environment is missing: not every `env` knows `-0` */
export function readAsked(body: string): Asked | undefined {
  const [input = "", ...variables] = body.split("\0");
  const named = variables.filter((variable) => variable.indexOf("=") > 0);
  if (named.length === 0) return undefined;
  const split = (variable: string, at = variable.indexOf("=")) => [variable.slice(0, at), variable.slice(at + 1)];
  return { input, environment: Object.fromEntries(named.map((variable) => split(variable))) };
}

/** The variables that hold one command's parameters, and those that Pulumi sets for it. */
export const PARAMETERS =
  /^(STACK|SECRET|SOURCE|KIND|GENERATION|FROM|FINGERPRINT|KEY_URL|RECIPIENTS|EXPECTED_HOSTNAME|PULUMI_COMMAND_.*)$/;

/** What a shell sets for itself. */
const OF_SHELL = /^(PWD|OLDPWD|SHLVL|_)$/;

/** What the environments of all commands of a run have in common: what a helper of theirs is started with. */
export function sharedEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const shared = Object.entries(environment).filter(([name]) => !PARAMETERS.test(name) && !OF_SHELL.test(name));
  return Object.fromEntries(shared.sort(([one], [other]) => (one < other ? -1 : 1)));
}
