import shared from "../../nix/lib/rules.json";
import { type Field, mustBe } from "./fields";

/** What the guest (`nix/lib/facts.nix`, its modules) asks for as well, from the one file that both read. */
export type Rule = keyof typeof shared.rules;

/** Defaults of what goes to the guest; its own modules have the same. */
export const DEFAULTS = shared.defaults;

/** Folders of /run that belong to NixOS, systemd, sops-nix or a service of the guest. */
export const TAKEN_RUN_FOLDERS: readonly string[] = shared.takenRunFolders;

/** Where the first static site's web server listens on the VM; the next one takes the next port. */
export const FIRST_SITE_PORT = shared.firstSitePort;

/** Where the VM's Vault Agent answers with its own token: nothing for visitors. */
export const VAULT_AGENT_LISTENER = shared.vaultAgentListener;

/** What a rule asks for, as an error says it. */
export function saysOf(rule: Rule): string {
  return shared.rules[rule].says;
}

/** Whether the whole text is as the rule asks. */
export function follows(rule: Rule, text: unknown): text is string {
  const { pattern, longest } = shared.rules[rule];
  return typeof text === "string" && text.length <= longest && new RegExp(`^(?:${pattern})$`).test(text);
}

/** A text that follows the rule. */
export function ruled(field: Field, rule: Rule, allowed = saysOf(rule)): string {
  if (!follows(rule, field.value)) throw mustBe(field, allowed);
  return field.value;
}
