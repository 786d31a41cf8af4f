/** Whether tests are run as each night. */
export const isLong = process.env.SEALED_ONION_LONG === "1";

/**
 * How often a test repeats what is left to chance (kills, random input, visits): in every run as often as finds what is
 * common, with `npm test -- --long`, as each night, as often as finds what is rare.
 */
export function volume({ usual, long }: { usual: number; long: number }): number {
  return isLong ? long : usual;
}
