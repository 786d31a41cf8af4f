import { isIP } from "node:net";
import { at, type Field, gather, mustBe, optional, structure } from "../../../components/config/fields";
import type { Address } from "../gateway/gateway";

export const REMEDY = "correct it in the file";
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function text(field: Field, allowed = "a text", pattern = /\S/): string {
  if (typeof field.value !== "string" || !pattern.test(field.value)) throw mustBe(field, allowed, REMEDY);
  return field.value;
}

export function guid(field: Field): string {
  return text(field, "a GUID", GUID);
}

export function number(field: Field, allowed: string, isAllowed: (value: number) => boolean): number {
  if (typeof field.value !== "number" || !isAllowed(field.value)) throw mustBe(field, allowed, REMEDY);
  return field.value;
}

export function flag(field: Field): boolean {
  if (typeof field.value !== "boolean") throw mustBe(field, "true or false", REMEDY);
  return field.value;
}

export function among<T extends string>(field: Field, values: readonly T[]): T {
  const found = values.find((value) => value === field.value);
  if (found === undefined) throw mustBe(field, `one of ${values.join(", ")}`, REMEDY);
  return found;
}

/** `address:port`; the address must be an IP address, so that nothing is looked up. */
export function address(field: Field): Address {
  const [, host = "", port = ""] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(String(field.value)) ?? [];
  if (isIP(host) === 0 || Number(port) > 65_535) throw mustBe(field, "an IP address and a port as 127.0.0.1:0", REMEDY);
  return { host, port: Number(port) };
}

/** Members that were not given stay away: `exactOptionalPropertyTypes` tells them from undefined ones. */
function given<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

export type Reader<T> = (field: Field) => T;

/** An object with exactly these optional members. */
export function members<T extends object>(field: Field, readers: { [K in keyof T]-?: Reader<T[K]> }): T {
  const keys = Object.keys(readers) as (keyof T & string)[];
  const value = structure(field, keys);
  const parts = Object.fromEntries(keys.map((key) => [key, () => readers[key](at(field.path, value, key))]));
  return given(gather<T>(parts as { [K in keyof T]: () => T[K] })) as T;
}

/** Reads a member that may be missing. */
export function maybe<T>(read: Reader<T>): Reader<T> {
  return (field) => (field.value === undefined ? (undefined as T) : read(field));
}

export function or<T>(fallback: T, read: Reader<T>): Reader<T> {
  return (field) => optional(field, fallback, read);
}
