import { HOSTNAME } from "../../project-folder";
import { type Malformed, ONION, secret } from "./working";

/** Declarations of secrets that are refused. */
export const SECRETS: readonly Malformed[] = [
  [
    "no secrets",
    { secrets: undefined },
    "secrets must be a map of at least one secret by name, got {}: type pulumi config set --path 'sealed-onion:secrets.onion-key.source.onion.prefix' ''",
  ],
  [
    "an empty map of secrets",
    { secrets: {} },
    "secrets must be a map of at least one secret by name, got {}: type pulumi config set --path 'sealed-onion:secrets.onion-key.source.onion.prefix' ''",
  ],
  [
    "secrets as a list",
    { secrets: [] },
    "secrets must be a map of at least one secret by name, got a list of 0: set sealed-onion:secrets",
  ],
  [
    "secrets as a text",
    { secrets: "onion-key" },
    "secrets must be a map of at least one secret by name, got a text of 9 characters: set sealed-onion:secrets",
  ],
  [
    "a secret that is called like the key that signs systems",
    secret({}, "system-signing-key"),
    "secrets.system-signing-key is what signs the stack's systems: choose another name in sealed-onion:secrets",
  ],
  [
    "a secret that is a text",
    { secrets: { ...ONION, token: "hunter2" } },
    "secrets.token must be an object, got a text of 7 characters: set sealed-onion:secrets.token",
  ],
  [
    "a secret's name with capitals",
    secret({}, "Token"),
    'secret\'s name must be lower-case letters, digits and single hyphens, starting with a letter, at most 40, got "Token": rename it in sealed-onion:secrets',
  ],
  [
    "a secret's name that leads elsewhere",
    secret({}, "../token"),
    'secret\'s name must be lower-case letters, digits and single hyphens, starting with a letter, at most 40, got "../token": rename it in sealed-onion:secrets',
  ],
  [
    "a secret's name that is too long",
    secret({}, "a".repeat(41)),
    'secret\'s name must be lower-case letters, digits and single hyphens, starting with a letter, at most 40, got "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": rename it in sealed-onion:secrets',
  ],
  [
    "a secret's name with two hyphens together",
    secret({}, "api--token"),
    'secret\'s name must be lower-case letters, digits and single hyphens, starting with a letter, at most 40, got "api--token": rename it in sealed-onion:secrets',
  ],
  [
    "a mistyped key of a secret",
    secret({ onwer: "tor" }),
    'secrets.token has an unknown key "onwer", allowed are source, kind, hostname, generation, from, path, owner, group, mode, restart, worldReadable: did you mean "owner"',
  ],
  [
    "a plaintext instead of a reference",
    secret({ value: "hunter2" }),
    'secrets.token has an unknown key "value", allowed are source, kind, hostname, generation, from, path, owner, group, mode, restart, worldReadable: remove it',
  ],
  [
    "no source",
    secret({ source: undefined }),
    "secrets.token.source must be onion, file, pass, env, command or sshHostKey, got nothing: set sealed-onion:secrets.token.source.onion, .file, .pass, .env, .command or .sshHostKey",
  ],
  [
    "a source that is a text",
    secret({ source: "hunter2" }),
    "secrets.token.source must be an object, got a text of 7 characters: set sealed-onion:secrets.token.source",
  ],
  [
    "an empty source",
    secret({ source: {} }),
    "secrets.token.source must be exactly one of onion, file, pass, env, command or sshHostKey, got none: set one in sealed-onion:secrets.token.source",
  ],
  [
    "two sources",
    secret({ source: { file: "token.txt", env: "TOKEN" } }),
    "secrets.token.source must be exactly one of onion, file, pass, env, command or sshHostKey, got file and env: keep one in sealed-onion:secrets.token.source",
  ],
  [
    "an unknown source",
    secret({ source: { fiel: "token.txt" } }),
    'secrets.token.source has an unknown key "fiel", allowed are onion, file, pass, env, command, sshHostKey: did you mean "file"',
  ],
  [
    "a prefix with digits that base32 does not have",
    secret({ source: { onion: { prefix: "abc1" } } }),
    'secrets.token.source.onion.prefix must be 1 to 8 of the letters a-z and digits 2-7 (each more takes 32 times as long to find), got "abc1": set sealed-onion:secrets.token.source.onion.prefix',
  ],
  [
    "a prefix that nobody could find",
    secret({ source: { onion: { prefix: "abcdefghi" } } }),
    'secrets.token.source.onion.prefix must be 1 to 8 of the letters a-z and digits 2-7 (each more takes 32 times as long to find), got "abcdefghi": set sealed-onion:secrets.token.source.onion.prefix',
  ],
  [
    "an unknown option of an onion key",
    secret({ source: { onion: { suffix: "abc" } } }),
    'secrets.token.source.onion has an unknown key "suffix", allowed are prefix: remove it',
  ],
  [
    "an empty path of a file",
    secret({ source: { file: "" } }),
    "secrets.token.source.file must be a file's path, got a text of 0 characters: set sealed-onion:secrets.token.source.file",
  ],
  [
    "a file in somebody's home",
    secret({ source: { file: "~/token.txt" } }),
    'secrets.token.source.file must be a path without ~, which only a shell expands, got "~/token.txt": set sealed-onion:secrets.token.source.file',
  ],
  [
    "a file that Nix would copy to its store",
    secret({ source: { file: "nix/token.txt" } }),
    'secrets.token.source.file must be outside nix/, which is copied to the world-readable Nix store, got "nix/token.txt": move the file elsewhere',
  ],
  [
    "a file that Nix would copy, in a roundabout way",
    secret({ source: { file: "docs/../nix/stacks/dev/token.txt" } }),
    'secrets.token.source.file must be outside nix/, which is copied to the world-readable Nix store, got "docs/../nix/stacks/dev/token.txt": move the file elsewhere',
  ],
  [
    "a file that is a number",
    secret({ source: { file: 42 } }),
    "secrets.token.source.file must be a file's path, got a number: set sealed-onion:secrets.token.source.file",
  ],
  [
    "a pass entry that leads elsewhere",
    secret({ source: { pass: "../token" } }),
    "secrets.token.source.pass must be the name of an entry of the password store, relative and without .., got a text of 8 characters: set sealed-onion:secrets.token.source.pass",
  ],
  [
    "a pass entry that looks like an option",
    secret({ source: { pass: "-c" } }),
    "secrets.token.source.pass must be the name of an entry of the password store, relative and without .., got a text of 2 characters: set sealed-onion:secrets.token.source.pass",
  ],
  [
    "an absolute pass entry",
    secret({ source: { pass: "/token" } }),
    "secrets.token.source.pass must be the name of an entry of the password store, relative and without .., got a text of 6 characters: set sealed-onion:secrets.token.source.pass",
  ],
  [
    "a variable that is none",
    secret({ source: { env: "my token" } }),
    "secrets.token.source.env must be the name of an environment variable, got a text of 8 characters: set sealed-onion:secrets.token.source.env",
  ],
  [
    "a variable that the seal command uses",
    secret({ source: { env: "FINGERPRINT" } }),
    'secrets.token.source.env must be a variable that the seal command does not use itself, got "FINGERPRINT": set sealed-onion:secrets.token.source.env',
  ],
  [
    "a command as one text",
    secret({ source: { command: "op read token" } }),
    "secrets.token.source.command must be a program and its arguments as a list, got a text of 13 characters: set sealed-onion:secrets.token.source.command",
  ],
  [
    "an empty command",
    secret({ source: { command: [] } }),
    "secrets.token.source.command must be a program and its arguments as a list, got a list of 0: set sealed-onion:secrets.token.source.command",
  ],
  [
    "a command with a number in it",
    secret({ source: { command: ["head", 5] } }),
    "secrets.token.source.command[1] must be a text, got a number: set sealed-onion:secrets.token.source.command[1]",
  ],
  [
    "an unknown kind",
    secret({ kind: "tor" }),
    'secrets.token.kind must be onion, got "tor": set sealed-onion:secrets.token.kind',
  ],
  [
    "a hostname for a secret that is no onion key",
    secret({ hostname: HOSTNAME }),
    "secrets.token.hostname is for onion keys: set sealed-onion:secrets.token.kind to onion",
  ],
  [
    "a hostname for an onion key that is yet to be made",
    secret({ source: { onion: {} }, hostname: HOSTNAME }),
    "secrets.token.hostname is for imported onion keys, the source here makes a new one: remove sealed-onion:secrets.token.hostname",
  ],
  [
    "a mistyped hostname",
    secret({ kind: "onion", hostname: HOSTNAME.replace("2g", "3g") }),
    'secrets.token.hostname: onion hostname "3gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion" has a wrong checksum: one of its characters is mistyped: set sealed-onion:secrets.token.hostname',
  ],
  [
    "a hostname of version 2",
    secret({ kind: "onion", hostname: "expyuzz4wqqyqhjn.onion" }),
    'secrets.token.hostname: onion hostname "expyuzz4wqqyqhjn.onion" is of version 2, which tor dropped: only version 3: set sealed-onion:secrets.token.hostname',
  ],
  [
    "an onion key that everybody may read",
    secret({ kind: "onion", mode: "0444", worldReadable: true }),
    "secrets.token holds an onion key that others may read: remove sealed-onion:secrets.token.worldReadable",
  ],
  [
    "generation zero",
    secret({ generation: 0 }),
    "secrets.token.generation must be a whole number from 1 to 1000000, got 0: set sealed-onion:secrets.token.generation",
  ],
  [
    "half a generation",
    secret({ generation: 1.5 }),
    "secrets.token.generation must be a whole number from 1 to 1000000, got 1.5: set sealed-onion:secrets.token.generation",
  ],
  [
    "a path on a disk",
    secret({ path: "/etc/token" }),
    'secrets.token.path must be an absolute path below /run, which is memory and never a disk, got "/etc/token": set sealed-onion:secrets.token.path',
  ],
  [
    "a relative path",
    secret({ path: "run/token" }),
    'secrets.token.path must be an absolute path below /run, which is memory and never a disk, got "run/token": set sealed-onion:secrets.token.path',
  ],
  [
    "a path that leads elsewhere",
    secret({ path: "/run/../etc/token" }),
    'secrets.token.path must be a path below /run of letters, digits, ., _ and -, without empty parts, . and .., got "/run/../etc/token": set sealed-onion:secrets.token.path',
  ],
  [
    "a path with an empty part",
    secret({ path: "/run//token" }),
    'secrets.token.path must be a path below /run of letters, digits, ., _ and -, without empty parts, . and .., got "/run//token": set sealed-onion:secrets.token.path',
  ],
  [
    "a path with a space",
    secret({ path: "/run/my token" }),
    'secrets.token.path must be a path below /run of letters, digits, ., _ and -, without empty parts, . and .., got "/run/my token": set sealed-onion:secrets.token.path',
  ],
  [
    "a path in the Nix store",
    secret({ path: "/nix/store/token" }),
    'secrets.token.path must be an absolute path below /run, which is memory and never a disk, got "/nix/store/token": set sealed-onion:secrets.token.path',
  ],
  [
    "a path of the system",
    secret({ path: "/run/systemd/token" }),
    'secrets.token.path must be outside /run/systemd, which belongs to the system, got "/run/systemd/token": set sealed-onion:secrets.token.path',
  ],
  [
    "a path that the unit which opens secrets does not see",
    secret({ path: "/run/user/1000/token" }),
    'secrets.token.path must be outside /run/user, which belongs to the system, got "/run/user/1000/token": set sealed-onion:secrets.token.path',
  ],
  ...["/root/token", "/home/app/token", "/tmp/token", "/var/tmp/token"].map(
    (place): Malformed => [
      `the path ${place}, which that unit does not see either`,
      secret({ path: place }),
      `secrets.token.path must be an absolute path below /run, which is memory and never a disk, got "${place}": set sealed-onion:secrets.token.path`,
    ],
  ),
  [
    "a path where generations of secrets are kept",
    secret({ path: "/run/secrets.d/token" }),
    'secrets.token.path must be outside /run/secrets.d, which belongs to the system, got "/run/secrets.d/token": set sealed-onion:secrets.token.path',
  ],
  [
    "another secret's place",
    secret({ path: "/run/secrets/onion-key" }),
    'secrets.token.path must be /run/secrets/token or outside /run/secrets, got "/run/secrets/onion-key": set sealed-onion:secrets.token.path',
  ],
  [
    "two secrets at one path",
    {
      secrets: {
        ...ONION,
        token: { source: { env: "A" }, path: "/run/a" },
        mail: { source: { env: "B" }, path: "/run/a" },
      },
    },
    'path "/run/a" of secret token is the path of secret mail: set sealed-onion:secrets.token.path',
  ],
  [
    "a secret inside another one",
    {
      secrets: {
        ...ONION,
        token: { source: { env: "A" }, path: "/run/a" },
        mail: { source: { env: "B" }, path: "/run/a/b" },
      },
    },
    'path "/run/a/b" of secret mail lies inside the path of secret token: set sealed-onion:secrets.mail.path',
  ],
  [
    "an owner that is no user's name",
    secret({ owner: "Tor User" }),
    "secrets.token.owner must be a user's or group's name (a-z, 0-9, _ and -, at most 31), got \"Tor User\": set sealed-onion:secrets.token.owner",
  ],
  [
    "an owner by number",
    secret({ owner: 0 }),
    "secrets.token.owner must be a user's or group's name (a-z, 0-9, _ and -, at most 31), got 0: set sealed-onion:secrets.token.owner",
  ],
  [
    "a group that is no group's name",
    secret({ group: "0tor" }),
    "secrets.token.group must be a user's or group's name (a-z, 0-9, _ and -, at most 31), got \"0tor\": set sealed-onion:secrets.token.group",
  ],
  [
    "a mode without quotes",
    secret({ mode: 256 }),
    'secrets.token.mode must be four octal digits such as "0400", with which the owner can read and nobody else can write, got 256: set sealed-onion:secrets.token.mode in quotes, as YAML reads 0400 as a number',
  ],
  [
    "a mode of three digits",
    secret({ mode: "400" }),
    'secrets.token.mode must be four octal digits such as "0400", with which the owner can read and nobody else can write, got "400": set sealed-onion:secrets.token.mode',
  ],
  [
    "a mode with digits that are not octal",
    secret({ mode: "0489" }),
    'secrets.token.mode must be four octal digits such as "0400", with which the owner can read and nobody else can write, got "0489": set sealed-onion:secrets.token.mode',
  ],
  [
    "a setuid mode",
    secret({ mode: "4400" }),
    'secrets.token.mode must be four octal digits such as "0400", with which the owner can read and nobody else can write, got "4400": set sealed-onion:secrets.token.mode',
  ],
  [
    "a mode that lets the group write, which the machine would take away",
    secret({ mode: "0660" }),
    'secrets.token.mode must be four octal digits such as "0400", with which the owner can read and nobody else can write, got "0660": set sealed-onion:secrets.token.mode',
  ],
  [
    "a path that goes when tor stops",
    secret({ path: "/run/tor/token" }),
    'secrets.token.path must be outside /run/tor, which belongs to the system, got "/run/tor/token": set sealed-onion:secrets.token.path',
  ],
  [
    "a mode that its owner cannot read",
    secret({ mode: "0040" }),
    'secrets.token.mode must be four octal digits such as "0400", with which the owner can read and nobody else can write, got "0040": set sealed-onion:secrets.token.mode',
  ],
  [
    "a mode that others may read",
    secret({ mode: "0444" }),
    'secrets.token.mode must be closed to others, got "0444": set sealed-onion:secrets.token.worldReadable to true if everybody on the VM may read it',
  ],
  [
    "a mode that others may write",
    secret({ mode: "0666", worldReadable: true }),
    'secrets.token.mode must be four octal digits such as "0400", with which the owner can read and nobody else can write, got "0666": set sealed-onion:secrets.token.mode',
  ],
  [
    "worldReadable with a mode that is closed",
    secret({ worldReadable: true }),
    'secrets.token.worldReadable is true but secrets.token.mode "0400" does not let others read: remove sealed-onion:secrets.token.worldReadable',
  ],
  [
    "worldReadable as a text",
    secret({ worldReadable: "yes" }),
    'secrets.token.worldReadable must be true or false, got "yes": set sealed-onion:secrets.token.worldReadable',
  ],
  [
    "units as a text",
    secret({ restart: "web.service" }),
    "secrets.token.restart must be a list of services, got a text of 11 characters: set sealed-onion:secrets.token.restart",
  ],
  [
    "a unit without its type",
    secret({ restart: ["web"] }),
    'secrets.token.restart[0] must be a service with its type, such as "web.service", got "web": set sealed-onion:secrets.token.restart[0]',
  ],
  [
    "a unit that is no service, which could not be made to wait for the secret",
    secret({ restart: ["app.timer"] }),
    'secrets.token.restart[0] must be a service with its type, such as "web.service", got "app.timer": set sealed-onion:secrets.token.restart[0]',
  ],
  [
    "a unit that is a path",
    secret({ restart: ["../web.service"] }),
    'secrets.token.restart[0] must be a service with its type, such as "web.service", got "../web.service": set sealed-onion:secrets.token.restart[0]',
  ],
  [
    "a secret renamed from one that is still declared",
    secret({ from: "onion-key" }),
    'secrets.token.from is "onion-key", which is still declared: remove sealed-onion:secrets.token.from',
  ],
  [
    "two secrets renamed from one",
    {
      secrets: { ...ONION, token: { source: { env: "A" }, from: "old" }, mail: { source: { env: "B" }, from: "old" } },
    },
    'secrets mail and token are both renamed from "old": remove sealed-onion:secrets.mail.from',
  ],
  [
    "a secret renamed from something that is no name",
    secret({ from: "../old" }),
    'secrets.token.from must be a secret\'s name (lower-case letters, digits and single hyphens, starting with a letter, at most 40), got "../old": set sealed-onion:secrets.token.from',
  ],
  [
    "no onion key at all",
    { secrets: { token: { source: { env: "TOKEN" } } } },
    "secrets hold no onion key: type pulumi config set --path 'sealed-onion:secrets.onion-key.source.onion.prefix' ''",
  ],
];
