const USES = /^\s*(?:-\s+)?uses:\s*(.*?)\s*$/;
/** By commit, with the tag that it had: anyone who moves a tag later changes nothing here. */
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

/** @returns the lines of a workflow, as `line: what it uses`, that leave it to others which code runs */
export function unpinnedActions(workflow: string): string[] {
  return workflow.split("\n").flatMap((line, index) => {
    const used = USES.exec(line)?.[1];
    if (used === undefined || used.startsWith("./") || PINNED.test(used)) return [];
    return [`${index + 1}: ${used}`];
  });
}
