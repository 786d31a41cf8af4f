import { describe, expect, it } from "vitest";
import { explainFailure } from "../../../../components/secrets/seal/sops-failure";

const failed = (stderr: string) => explainFailure({ stderr, timedOut: false, code: 1, signal: null });
const cutOff = (stderr: string, helpers: string[] = []) =>
  explainFailure({ stderr, timedOut: true, code: null, signal: "SIGKILL" }, { helpers });

/** sops 3.13 wraps what it says about a file that it cannot open. */
const wrapped = `[Nov 22 05:19:01.123456] Retry: error dial tcp: connection refused
Failed to get the data key required to decrypt the SOPS file.

Group 0: FAILED
  https://v.vault.azure.net/keys/k/56f501f0f4c3849f4fa3f62c36f52fd6: FAILED
    - | failed to decrypt sops data key with Azure Key Vault key
      | 'https://v.vault.azure.net/keys/k/56f501f0f4c3849f4fa3f62c36f52fd6':
      | POST
      | https://v.vault.azure.net/keys/k/56f501f0f4c3849f4fa3f62c36f52fd6/decrypt
      | --------------------------------------------------------------------------------
      | RESPONSE 403: 403 Forbidden
      | ERROR CODE: Forbidden
      | --------------------------------------------------------------------------------
      | {
      |   "error": {
      |     "code": "Forbidden",
      |     "message": "Operation decrypt is
      | not allowed on a disabled key.",
      |     "innererror": {
      |       "code": "KeyDisabled"
      |     }
      |   }
      | }
`;

const pgpKey = "A12FBB297704E21877C2DB021F2EEE1904F96D5A";
const gpgSays =
  `Could not generate data key: [failed to encrypt new data key with master key "${pgpKey}": could not encrypt data key ` +
  "with PGP key: openpgp error: not in the keyring; GnuPG binary error: failed to encrypt sops data key with pgp: ";

const noKey = 'Could not generate data key: [failed to encrypt new data key with master key "age1se1x"';

describe("why sops failed", () => {
  it("is read out of its wrapped lines, the log of Azure's library left aside", () => {
    expect(failed(wrapped)).toEqual({
      reason: "Key Vault answers 403 KeyDisabled: Operation decrypt is not allowed on a disabled key",
      remedy:
        "enable the key version: az keyvault key set-attributes --enabled true " +
        "--id https://v.vault.azure.net/keys/k/56f501f0f4c3849f4fa3f62c36f52fd6",
      passing: false,
    });
  });

  it.each([
    ['Post "https://v": proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused', "proxyconnect tcp", true],
    ['Post "https://v": dial tcp: lookup v.vault.azure.net: no such host', "no such host", true],
    ['Post "https://v": read tcp 10.0.0.1:2: read: connection reset by peer', "connection reset", true],
    ['Post "https://v": net/http: TLS handshake timeout', "TLS handshake timeout", true],
    [
      'Post "https://v": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      "unknown authority",
      false,
    ],
    ["DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:", "Key Vault cannot be asked", false],
    ["flag provided but not defined: -filename-override", "this sops is too old", false],
    ["error loading config: no matching creation rules found", "this sops is too old", false],
    ['Error: cannot operate on non-existent file "encrypt"', "this sops is too old", false],
    [`${gpgSays}gpg: failed to start agent '/usr/bin/gpg-agent': No such file`, "gpg cannot reach its agent", false],
    [`${gpgSays}gpg: can't connect to the agent: IPC connect call failed`, "gpg cannot reach its agent", false],
    [`${gpgSays}]`, "gpg is not on PATH, and a recipient is a PGP key", false],
    [`${gpgSays}gpg: ${pgpKey}: skipped: Unusable public key`, `PGP recipient ${pgpKey} cannot encrypt`, false],
    [`${gpgSays}gpg: ${pgpKey}: skipped: No public key`, `PGP recipient ${pgpKey} is not in the keyring`, false],
    [
      `${noKey}: failed to wrap key for recipient #0: se plugin: couldn't start plugin: "se" plugin not found: exec]`,
      "age-plugin-se is not on PATH",
      false,
    ],
    [
      'failed to parse input as Bech32-encoded age public key: malformed recipient "age1pq17v54my32t4a',
      "post-quantum",
      false,
    ],
    [
      'failed to parse input, unknown recipient type: "age1se10z3624u645w"',
      "for an age key of sealed-onion:recip",
      false,
    ],
    ["something new", "sops ended with code 1: something new", false],
    ["", "sops ended with code 1: it says nothing", false],
  ])("%s", (stderr, reason, passing) => {
    const failure = failed(stderr);
    expect(failure.reason).toContain(reason);
    expect(failure.passing).toBe(passing);
  });

  it("is the answer of the service that gave it: a token service's is not the vault's", () => {
    const asked = "GET http://169.254.169.254/metadata/identity/oauth2/token ---- RESPONSE 404: 404 Not Found";
    const failure = failed(`Could not generate data key: [failed to encrypt sops data key: ${asked}]`);
    expect(failure).toMatchObject({ reason: "169.254.169.254 answers 404", passing: false });
    const busy = failed(
      `Could not generate data key: [POST https://login.microsoftonline.com/x RESPONSE 503: 503 Busy]`,
    );
    expect(busy).toMatchObject({ reason: "login.microsoftonline.com answers 503", passing: true });
  });

  it.each<[what: string, message: string, code: string, failure: object]>([
    [
      "the firewall, with the address that Azure saw, for a rule that was just made",
      "Client address is not authorized and caller is not a trusted service.\\r\\nClient address: 203.0.113.9\\r\\nCaller: appid=a",
      "ForbiddenByFirewall",
      { passing: true, remedy: "add 203.0.113.9 to sealed-onion:network.allow, then pulumi up" },
    ],
    [
      "the closed public endpoint, for which nobody waits",
      "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
      "ForbiddenByConnection",
      {
        passing: false,
        remedy:
          "run it in a network that reaches the vault's private endpoint, or set sealed-onion:network.publicAccess to on and network.allow to this address",
      },
    ],
  ])("is %s", (_, message, code, failure) => {
    const body = `{ "error": { "code": "Forbidden", "message": "${message}", "innererror": { "code": "${code}" } } }`;
    expect(failed(`Could not generate data key: [RESPONSE 403: 403 Forbidden ${body}]`)).toMatchObject(failure);
  });

  describe("of a call that had to be cut off, is the program that did not answer", () => {
    const asked = "[x] Request: ==> OUTGOING REQUEST (Try=1)\n   POST https://v.vault.azure.net/keys/k/1/encrypt\n";
    const answered = (status: number) =>
      `${asked}[x] Retry: response ${status}\n[x] Retry: exit due to non-retriable status code\n`;
    const helpers = ["gpg", "age-plugin-se"];
    const ofHelper = "gpg or age-plugin-se does not answer in time";

    it.each([
      ["the vault, which was asked last", asked, "Key Vault does not answer in time"],
      [
        "the vault, which is to be asked again",
        `${asked}[x] Retry: response 503\n[x] Retry: End Try #1, Delay=4s\n`,
        "Key Vault",
      ],
      ["a recipient's, once the vault has answered", answered(200), ofHelper],
      ["a recipient's, where the vault refused before", answered(403), `${ofHelper}, after Key Vault answered 403`],
      ["a recipient's, where nobody asked the vault", "", ofHelper],
    ])("%s", (_, log, reason) => {
      const failure = cutOff(log, helpers);
      expect(failure.reason).toContain(reason);
      expect(failure.passing).toBe(!reason.startsWith(ofHelper));
    });

    it("the vault, where no recipient's program is asked", () => {
      expect(cutOff(answered(200)).reason).toContain("Key Vault");
    });
  });

  it("is what Azure answered last, of a call that had to be cut off", () => {
    const first = "   RESPONSE Status: 401 Unauthorized\n";
    expect(cutOff(first)).toMatchObject({ reason: "Key Vault does not answer in time", passing: true });
    expect(cutOff(`${first}   RESPONSE Status: 429 Too Many Requests\n   Retry-After: 60\n`)).toMatchObject({
      reason: "Key Vault answers 429 Too Many Requests",
      passing: true,
      waitMs: 60_000,
    });
    expect(cutOff(`${first}[...] Retry: error Post "https://v": EOF\n`).reason).toBe(
      "Key Vault cannot be reached: EOF",
    );
  });
});
