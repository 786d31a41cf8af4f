/** An option of a command: `--name`, or `--name VALUE` where it takes a value. */
export interface Option {
  /** For the help: what it does. */
  readonly about: string;
  /** What it takes, as the help shows it: `STACK`. @default nothing, it is on or off */
  readonly value?: string;
  /** All that its value may be. @default anything */
  readonly choices?: readonly string[];
  /** The actions that it goes with. @default all */
  readonly actions?: readonly string[];
  /** Whether it stands in the place of its action's word, as `--all` does for a name. */
  readonly insteadOfWord?: boolean;
}

/** What a command can be asked to do. */
export interface Action {
  readonly about: string;
  /** The one word that it takes, as the help shows it: `NAME`. @default none */
  readonly word?: string;
}

/** A command that people type: all that its words can be, said once for its help and its parser. */
export interface Command {
  /** Of `npm run NAME`. */
  readonly name: string;
  readonly about: string;
  /** By name; without any action's name the first is meant. @default there is one thing to do */
  readonly actions?: Readonly<Record<string, Action>>;
  readonly options: Readonly<Record<string, Option>>;
  readonly exitCodes: Readonly<Record<number, string>>;
  /** Lines for the end of the help. */
  readonly notes?: readonly string[];
}

/** What was typed. */
export interface Words<C extends Command> {
  readonly action: keyof NonNullable<C["actions"]>;
  /** The action's word; empty where it takes none. */
  readonly word: string;
  readonly options: {
    readonly [Name in keyof C["options"]]: C["options"][Name] extends { value: string } ? string | undefined : boolean;
  };
}

/** The option that each command for a stack has. */
export const stackOption = {
  value: "STACK",
  about: "the stack; else the one that Pulumi has selected, else the only one",
} as const;
