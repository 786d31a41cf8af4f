import { type Malformed, secret } from "./working";

const AGE = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

function service(declaration: object): Record<string, unknown> {
  return { services: { web: { key: "onion-key", ...declaration } } };
}

/** Services and recipients that are refused. */
export const SERVICES: readonly Malformed[] = [
  [
    "services as a list",
    { services: ["web"] },
    "services must be a map of onion services by name, got a list of 1: set sealed-onion:services",
  ],
  [
    "a service's name with capitals",
    { services: { Web: { key: "onion-key" } } },
    'service\'s name must be lower-case letters, digits and single hyphens, starting with a letter, at most 40, got "Web": rename it in sealed-onion:services',
  ],
  [
    "a mistyped key of a service",
    service({ prots: {} }),
    'services.web has an unknown key "prots", allowed are key, ports, clientAuthorization, ssh: did you mean "ports"',
  ],
  [
    "proof of work of one machine",
    service({ proofOfWork: false }),
    "services.web.proofOfWork cannot be set: one machine has it on, and the descriptor of several machines' address does not say what a client has to prove: remove sealed-onion:services.web.proofOfWork",
  ],
  [
    "a service without its key",
    service({ key: undefined }),
    "services.web.key must be a secret with an onion key (onion-key), got nothing: set sealed-onion:services.web.key",
  ],
  [
    "a service with a mistyped key",
    service({ key: "onion-kye" }),
    'services.web.key must be a secret with an onion key (onion-key), got "onion-kye": did you mean "onion-key"',
  ],
  [
    "a service whose key is no onion key",
    { ...service({ key: "token" }), ...secret({}) },
    'services.web.key must be a secret with an onion key (onion-key), got "token": set sealed-onion:services.web.key',
  ],
  [
    "two services at one address",
    { services: { web: { key: "onion-key" }, mail: { key: "onion-key" } } },
    "services mail and web share the onion key onion-key, so they would share one address: set sealed-onion:services.web.key",
  ],
  [
    "a port that is none",
    service({ ports: { "0": "site" } }),
    'services.web.ports must have ports from 1 to 65535, got "0": set sealed-onion:services.web.ports.80',
  ],
  [
    "a port that is a word",
    service({ ports: { http: "site" } }),
    'services.web.ports must have ports from 1 to 65535, got "http": set sealed-onion:services.web.ports.80',
  ],
  [
    "a port above the last one",
    service({ ports: { "65536": "site" } }),
    'services.web.ports must have ports from 1 to 65535, got "65536": set sealed-onion:services.web.ports.80',
  ],
  [
    "a target on another machine",
    service({ ports: { "80": "10.0.0.1:80" } }),
    'services.web.ports.80 must be site or an address on the VM itself such as "127.0.0.1:8080", "[::1]:8080" or "unix:/run/app/socket", got "10.0.0.1:80": set sealed-onion:services.web.ports.80',
  ],
  [
    "a target without a port",
    service({ ports: { "80": "127.0.0.1" } }),
    'services.web.ports.80 must be site or an address on the VM itself such as "127.0.0.1:8080", "[::1]:8080" or "unix:/run/app/socket", got "127.0.0.1": set sealed-onion:services.web.ports.80',
  ],
  [
    "a target's port above the last one",
    service({ ports: { "80": "127.0.0.1:70000" } }),
    'services.web.ports.80 must be site or an address on the VM itself such as "127.0.0.1:8080", "[::1]:8080" or "unix:/run/app/socket", got "127.0.0.1:70000": set sealed-onion:services.web.ports.80',
  ],
  [
    "a port that leads to the web server of a site",
    service({ ports: { "80": "site", "8080": "127.0.0.1:8440" } }),
    'services.web.ports.8080 is "127.0.0.1:8440", the port of a static site: set sealed-onion:services.web.ports.8080 to another port, or to site',
  ],
  [
    "a port that lets visitors ask Vault as the machine",
    service({ ports: { "80": "127.0.0.1:8100" } }),
    'services.web.ports.80 is "127.0.0.1:8100", the port of Vault\'s agent: set sealed-onion:services.web.ports.80 to another port, or to site',
  ],
  [
    "a service with no port",
    service({ ports: {} }),
    "services.web.ports must be at least one port, got {}: set sealed-onion:services.web.ports",
  ],
  [
    "SSH where nobody could log in",
    service({ ssh: true }),
    "services.web.ssh is true but bootAgent.sshKeys is false, so nobody could log in: set sealed-onion:bootAgent.sshKeys to true",
  ],
  [
    "SSH and a site on one port",
    { ...service({ ssh: true, ports: { "22": "site" } }), bootAgent: { sshKeys: true } },
    'services.web offers SSH and "site" on port 22: remove sealed-onion:services.web.ports.22',
  ],
  [
    "an onion key as client authorization",
    service({ clientAuthorization: ["onion-key"] }),
    'services.web.clientAuthorization[0] must be a secret other than an onion key, of which there is none, got "onion-key": set sealed-onion:services.web.clientAuthorization[0]',
  ],
  [
    "recipients as a list",
    { recipients: ["age1"] },
    "recipients must be an object, got a list of 1: set sealed-onion:recipients",
  ],
  [
    "a mistyped kind of recipient",
    { recipients: { gpg: [] } },
    'recipients has an unknown key "gpg", allowed are age, pgp: remove it',
  ],
  [
    "an age key that is too short",
    { recipients: { age: ["age1abc"] } },
    'recipients.age[0] must be an age public key (age1 and 58 characters, age1pq1… or a plugin\'s age1NAME1…) or an SSH public key (ssh-ed25519 or ssh-rsa), got "age1abc": set sealed-onion:recipients.age[0]',
  ],
  [
    "a plugin's identity instead of a recipient",
    { recipients: { age: ["AGE-PLUGIN-SE-1QQPQYZ"] } },
    "recipients.age[0] must be a public key, not a private one, got a text of 21 characters: set sealed-onion:recipients.age[0]",
  ],
  [
    "an age key with a mistyped character",
    { recipients: { age: [AGE.replace("age1z", "age1y")] } },
    'recipients.age[0] must be an age public key whose checksum is right (a character is mistyped), got "age1yvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnuj…": set sealed-onion:recipients.age[0]',
  ],
  [
    "an age identity instead of a recipient",
    { recipients: { age: ["AGE-SECRET-KEY-1QQPQYZ"] } },
    "recipients.age[0] must be a public key, not a private one, got a text of 22 characters: set sealed-onion:recipients.age[0]",
  ],
  [
    "an SSH key that is cut short",
    { recipients: { age: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8+mCR"] } },
    'recipients.age[0] must be a whole SSH public key, of the type that it names, got "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8+mCR": set sealed-onion:recipients.age[0]',
  ],
  [
    "one recipient twice",
    { recipients: { age: [AGE, AGE] } },
    'recipients.age holds "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnuj…" twice: remove one of them from sealed-onion:recipients.age',
  ],
  [
    "a PGP key's short id",
    { recipients: { pgp: ["0x12345678"] } },
    'recipients.pgp[0] must be the 40 hexadecimal digits of a PGP key\'s fingerprint, got "0x12345678": gpg --fingerprint KEY shows it, set sealed-onion:recipients.pgp[0]',
  ],
];
