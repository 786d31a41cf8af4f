/** What was found out about two systems, the one of today and the one with newer packages. */
export interface Findings {
  /** What `nix store diff-closures` printed. */
  readonly closures: string;
  /** What `vulnix --json` printed of each; empty where it failed. */
  readonly before: string;
  readonly after: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours that Nix prints
const COLOUR = /\u001b\[[0-9;]*m/g;
/** A pull request's text holds 65,536 characters. */
const MOST_LINES = 300;

/** The pull request's text: known vulnerabilities that go, stay or come, then each package with its versions. */
export function updateReport({ closures, before, after }: Findings): string {
  const lines = closures.replace(COLOUR, "").trim().split("\n").filter(Boolean);
  const shown = lines.slice(0, MOST_LINES);
  const more = lines.length > shown.length ? [`… and ${lines.length - shown.length} more`] : [];
  const packages = lines.length === 0 ? ["no package changes"] : ["```", ...shown, ...more, "```"];
  return [
    "Newer packages for the guest. Its modules were evaluated with them, and every machine that there is a test of has booted.",
    "",
    "### Known vulnerabilities",
    "",
    ...vulnerabilities(known(before), known(after)),
    "",
    `### Packages (${lines.length})`,
    "",
    ...packages,
  ].join("\n");
}

type Known = ReadonlyMap<string, readonly string[]>;

function vulnerabilities(before: Known | undefined, after: Known | undefined): string[] {
  if (before === undefined || after === undefined) return ["not known: vulnix failed, see the log of this run"];
  const gone = [...before].filter(([id]) => !after.has(id));
  const come = [...after].filter(([id]) => !before.has(id));
  const stay = [...after].filter(([id]) => before.has(id));
  const part = (word: string, found: [string, readonly string[]][]) =>
    `- ${word}: ${found.length === 0 ? "none" : found.map(([id, names]) => `${id} (${names.join(", ")})`).join(", ")}`;
  return [
    part("mended", gone),
    part("new", come),
    `- as before: ${stay.length}`,
    "",
    "By name and version alone, build tools included: a patch that nixpkgs carries is not seen.",
  ];
}

/** Ids by package. Source: https://github.com/nix-community/vulnix, `--json` */
function known(printed: string): Known | undefined {
  const found = new Map<string, string[]>();
  for (const { affected_by: ids, name } of parsed(printed) ?? []) {
    for (const id of ids) found.set(id, [...(found.get(id) ?? []), name]);
  }
  return parsed(printed) && new Map([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function parsed(printed: string): readonly { readonly name: string; readonly affected_by: string[] }[] | undefined {
  try {
    const read: unknown = JSON.parse(printed);
    return Array.isArray(read) ? read : undefined;
  } catch {
    return undefined; // it failed before it printed anything
  }
}
