import { stackFolder } from "../../config/stack-folder";
import { fileInHead } from "../../process/git-head";
import { readIfThere } from "../../process/read-if-there";
import { asideFiles } from "./remove-secret";
import { parseRecord, publicPartOf, recordPath, sealedPath } from "./seal-record";
import { readSealedContent } from "./sealed-content";

/** A sealed file that stands no more where it belongs, but is not gone. */
export interface LostFile {
  /** Of the secret that is in it; undefined if its record is lost as well. */
  readonly generation: number | undefined;
  /** Where it is, who opens it, and what to type to have it back. */
  readonly wayBack: string;
}

/** Looks in git's HEAD, then among the files that were put aside when a declaration was removed. */
export async function findLostFile(stack: string, name: string): Promise<LostFile | undefined> {
  const sealed = sealedPath(stack, name);
  const committed = await fileInHead(sealed);
  if (committed) {
    const back = `git checkout HEAD -- '${stackFolder(stack)}/${name}.*'`;
    const record = await fileInHead(recordPath(stack, name));
    return lostFile(committed, record, `sealed file ${sealed} is missing here, git's HEAD has it`, back);
  }
  const [aside] = asideFiles(stack, name);
  const content = aside && readIfThere(aside);
  if (!aside || !content) return undefined;
  const record = aside.replace(/sops\.json$/, "seal.json");
  const back = `mv ${aside} ${sealed} && mv ${record} ${recordPath(stack, name)}`;
  return lostFile(content, readIfThere(record), `sealed file ${sealed} was put aside as ${aside}`, back);
}

function lostFile(content: Buffer, record: Buffer | undefined, where: string, back: string): LostFile {
  const known = record && parseRecord(record);
  const sealed = readSealedContent(content);
  const openers = sealed ? [...sealed.keyUrls, ...sealed.age, ...sealed.pgp].join(" or ") : "nobody, it is damaged,";
  const publicPart = known && publicPartOf(known);
  const what = publicPart ? ` (${publicPart})` : "";
  return { generation: known?.generation, wayBack: `${where}${what}: ${back} brings it back, ${openers} opens it` };
}
