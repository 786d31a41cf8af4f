// `npm run bench -- vanity [--json]`: how many keys a second one core looks at for a vanity prefix. Our search, a plain
// loop that makes a key pair a try, and mkp224o (where it is on PATH) take turns in one run, so that whatever else the
// machine does falls on all of them; a ratio is the median of the rounds' ratios.
import { generateKeyPairSync } from "node:crypto";
import { encodeBase32 } from "../../components/onion/base32";
import { measureMkp224o } from "../../components/onion/mkp224o";
import { startVanitySearch } from "../../components/onion/vanity/vanity-search";
import { findOnPath } from "../../components/process/find-program";
import { median } from "./median";

const rounds = 5;
const roundMs = 1_000;
/** Long enough never to be found, so that nothing but looking is measured. */
const prefix = "aaaaaaaa";

interface Round {
  search: number;
  naive: number;
  mkp224o: number | null;
}

async function main(parameters: readonly string[]): Promise<number> {
  const json = parameters.includes("--json");
  if (parameters.some((parameter) => parameter !== "--json")) {
    console.error("usage: npm run bench -- vanity [--json]");
    return 2;
  }
  const program = findOnPath("mkp224o");
  if (program === undefined) console.error("mkp224o is not on PATH: measured without it");
  const search = startVanitySearch(prefix);
  perSecond(search.nextBatch, search.keysPerBatch); // the engine compiles what is hot
  perSecond(tryOneKeyPair, 1);
  const results: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    if (!json) console.error(`round ${round} of ${rounds}`);
    results.push({
      search: perSecond(search.nextBatch, search.keysPerBatch),
      naive: perSecond(tryOneKeyPair, 1),
      mkp224o: program === undefined ? null : await measureMkp224o(program, 1),
    });
  }
  if (json) console.log(JSON.stringify(summary(results)));
  else printTable(results);
  return 0;
}

/**
 * The quickest plain loop that node allows: key pairs by OpenSSL, and only as much of the hostname as is compared.
 * Encoded as they are made: exporting one later can lock up, as node 20's garbage collector wants the key's lock.
 */
function tryOneKeyPair(): boolean {
  const jwk = { format: "jwk" } as const;
  const encodings: object = { publicKeyEncoding: jwk, privateKeyEncoding: jwk };
  // The types do not know this encoding, of the options as of the result.
  const { publicKey } = generateKeyPairSync("ed25519", encodings) as unknown as { publicKey: { x: string } };
  return encodeBase32(Buffer.from(publicKey.x, "base64url").subarray(0, 5)).startsWith(prefix);
}

function perSecond(look: () => unknown, keys: number): number {
  const began = performance.now();
  let looked = 0;
  while (performance.now() - began < roundMs) {
    look();
    looked += keys;
  }
  return (looked / (performance.now() - began)) * 1000;
}

/** Ratios above 1 say how many times as fast our search is. */
function summary(results: readonly Round[]) {
  const beside = results.flatMap(({ search, mkp224o }) => (mkp224o === null ? [] : [search / mkp224o]));
  return {
    keysPerSecondPerCore: Math.round(median(results.map(({ search }) => search))),
    ratioToNaive: rounded(median(results.map(({ search, naive }) => search / naive))),
    ratioToMkp224o: beside.length === 0 ? null : rounded(median(beside)),
  };
}

function printTable(results: readonly Round[]): void {
  const { ratioToNaive, ratioToMkp224o } = summary(results);
  const native = results.flatMap(({ mkp224o }) => mkp224o ?? []);
  const rows: [string, number[], string][] = [
    ["built-in search", results.map(({ search }) => search), ""],
    ["mkp224o", native, ratioToMkp224o === null ? "" : `built-in is ${ratioToMkp224o} times as fast`],
    ["a key pair a try", results.map(({ naive }) => naive), `built-in is ${ratioToNaive} times as fast`],
  ];
  console.log("keys a second, one core (median)");
  for (const [name, speeds, note] of rows) {
    const speed = speeds.length === 0 ? "not on PATH" : Math.round(median(speeds)).toLocaleString("en-US");
    console.log(`${name.padEnd(18)}${speed.padStart(12)}  ${note}`.trimEnd());
  }
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
