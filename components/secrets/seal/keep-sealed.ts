import { ABSENT_FINGERPRINT } from "../fingerprint";
import { checkHostname } from "../sources/read-source";
import { keyKindOf, sourceOf } from "../sources/sources";
import { checkNotAnothers } from "./other-secrets";
import { isRolledBack, type SealedState } from "./seal-plan";
import { publicPartOf, type SealRecord } from "./seal-record";
import type { SealRequest, SealResult } from "./seal-request";
import { finish, newRecord, type Run } from "./seal-run";
import { isSealedForExactly, readSealedContent } from "./sealed-content";
import { decrypt, encryptOnlyCopy } from "./sops";
import { SopsError } from "./sops-run";

export interface Kept {
  readonly publicPart?: string;
  /** Whether what is sealed is known to be what `fingerprint` stands for. */
  readonly verified?: boolean;
  /** That of the source, where it was read. */
  readonly fingerprint?: string | undefined;
}

/** Leaves the plaintext that is sealed as it is; seals it for others if the recipients changed. */
export async function keep(planned: Run, state: SealedState, before: Buffer, kept: Kept): Promise<SealResult> {
  const { record } = state;
  const request = { ...planned, fingerprint: kept.fingerprint ?? planned.fingerprint };
  const publicPart = keyKindOf(request) && (kept.publicPart ?? (record && publicPartOf(record)));
  if (publicPart) checkHostname(request, publicPart);
  checkNotAnothers(request, before, publicPart);
  const isWrapped = state.sealedFor !== undefined && isSealedForExactly(state.sealedFor, request.recipients);
  const content = isWrapped ? before : await rewrap(request, before);
  const { byHand: _, ...fresh } = newRecord(request, content, publicPart);
  const next: SealRecord = {
    ...fresh,
    ...(record && staysAsRecorded(request, record) && pick(record)),
    ...(record && isWrapped && { sealedAt: record.sealedAt }),
    ...(!kept.verified && { byHand: true }),
  };
  const action = request.moved ? "moved" : record === undefined ? "adopted" : "unchanged";
  return finish(request, content, next, isWrapped ? action : "rewrapped");
}

/** Whether the record says better than the request what is sealed. */
function staysAsRecorded(request: SealRequest, record: SealRecord): boolean {
  return isRolledBack(request, record) || request.fingerprint === ABSENT_FINGERPRINT;
}

function pick({ fingerprint, generation }: SealRecord): Pick<SealRecord, "fingerprint" | "generation"> {
  return { fingerprint, generation };
}

/**
 * Seals for others, from the sealed file alone and with a new data key: the old data key does not open the new file
 * for those who were removed.
 */
async function rewrap(request: SealRequest, before: Buffer): Promise<Buffer> {
  const plaintext = await openForRewrap(request, before);
  try {
    return await encryptOnlyCopy(plaintext, request.recipients);
  } finally {
    plaintext.fill(0);
  }
}

async function openForRewrap({ source, name, stack, recipients }: SealRequest, before: Buffer): Promise<Buffer> {
  const own = new URL(recipients.keyUrl).host;
  const isVaultFormer = readSealedContent(before)?.keyUrls.every((url) => new URL(url).host !== own) === true;
  try {
    return await decrypt(before, { isVaultFormer });
  } catch (error) {
    if (!(error instanceof SopsError) || sourceOf(source).generated) throw error;
    const remedy = `npm run secrets -- reseal ${name} --stack ${stack} seals it from its source instead`;
    throw new Error(`${error.message}; ${remedy}`);
  }
}
