import type { EngineState, Step } from "./state";

/** An update went wrong; `state` has what was done until then, and the next one goes on from it. */
export class UpdateFailed extends Error {
  constructor(
    readonly errors: readonly Error[],
    readonly state: EngineState,
    readonly steps: readonly Step[],
  ) {
    super(errors.map((error) => error.message).join("\n"), { cause: errors[0] });
  }
}
