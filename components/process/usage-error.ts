/** A program was started in a way that it is not made for: it does nothing and ends with code 2. */
export class UsageError extends Error {}
