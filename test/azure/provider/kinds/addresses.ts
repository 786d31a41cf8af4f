import { BlockList, isIPv4 } from "node:net";

/** An IPv4 network in CIDR notation, taken apart. */
export interface Network {
  first: number;
  last: number;
  prefix: number;
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Undefined where the text is no network, or has bits beyond its prefix. */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", bits = ""] = text.split("/");
  const prefix = Number(bits);
  if (!isIPv4(address) || !/^\d{1,2}$/.test(bits) || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  const first = toNumber(address);
  return first % size === 0 ? { first, last: first + size - 1, prefix } : undefined;
}

export function holds(outer: Network, inner: Network): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}

export function overlap(a: Network, b: Network): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** The first address of a subnet that is free: Azure keeps the first four and the last one for itself. */
export function freeAddress(network: Network, taken: string[]): string | undefined {
  const used = new BlockList();
  for (const address of taken) used.addAddress(address);
  for (let value = network.first + 4; value < network.last; value += 1)
    if (!used.check(toAddress(value))) return toAddress(value);
  return undefined;
}
