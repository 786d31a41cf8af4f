/** What a message says to type at Azure's CLI. */
export interface AzCommand {
  /** `keyvault key set-attributes` */
  readonly verb: string;
  /** By name without hyphens; of several words the text between: `encrypt decrypt`. */
  readonly options: Readonly<Record<string, string>>;
}

/** The first such command in a message. @throws where there is none: a person would have nothing to type */
export function azCommand(said: string): AzCommand {
  const typed = /\baz ([a-z][a-z-]*(?: [a-z][a-z-]*)*)((?: --[a-z-]+(?: [^\s,;()`-][^\s,;()`]*)+)*)/.exec(said);
  if (!typed) throw new Error(`no az command in: ${said}`);
  const options = [...(typed[2] ?? "").matchAll(/ --([a-z-]+)((?: [^\s-][^\s]*)+)/g)];
  return {
    verb: typed[1] ?? "",
    options: Object.fromEntries(options.map(([, name = "", value = ""]) => [name, value.trim()])),
  };
}
