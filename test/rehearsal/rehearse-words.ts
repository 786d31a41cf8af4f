import type { Command } from "../../components/command-line/command";

/** What `npm run rehearse` can be asked. */
export const rehearseCommand = {
  name: "rehearse",
  about:
    "Deploys this program to Azure on loopback, boots what it made, and fetches its page over a private Tor network. Less than a minute; nothing leaves the machine, but that what is missing is installed first.",
  options: {
    json: { about: "one JSON line at the end" },
    keep: { about: "keep everything up at the end, until Ctrl-C, and say how to use it" },
    boot: { about: "boot the machine under a systemd of its own (Linux, as root), and tell what can happen to it" },
    all: { about: "the stories that take minutes, too: of a machine that boots, of a stack under pulumi" },
    engine: {
      value: "ENGINE",
      choices: ["in-process", "pulumi"],
      about: "in-process, or pulumi: the real one, the default where pulumi is on PATH",
    },
    nix: { about: "build the real image with Nix" },
    preview: { about: "the comment that a pull request would get for a change, and nothing else" },
    live: {
      about:
        "the first story against the subscription that is logged in: says what it makes and costs, asks, and removes it",
    },
    yes: { about: "with --live: do not ask" },
    region: { value: "REGION", about: "with --live: where; westeurope, if nothing is said" },
    vhd: { value: "FILE", about: "with --live: a disk that was built elsewhere, where Nix does not build one here" },
    clean: { about: "with --live: remove what live rehearsals have left, and nothing else" },
    vault: { about: "log in to HashiCorp Vault with the VM's identity as well" },
    replicas: {
      value: "N",
      about: "instead: one address behind N machines, 1 to 6, on a Tor network of its own (minutes); with --boot 3",
    },
  },
  exitCodes: { 0: "all holds", 1: "something does not", 2: "a word that is not known", 130: "interrupted" },
} as const satisfies Command;
