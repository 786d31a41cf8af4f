import type { Stage } from "../stage";

/** Something that happens to a machine, and what must come of it. */
export interface Story {
  name: string;
  /** Told only where all stories are asked for. */
  isLong?: boolean;
  /** Told while `up` still waits for the machine: what makes it serve, and what asks nothing more of it. */
  isWhileUp?: boolean;
  /** @throws with what is otherwise than it must be */
  tell(stage: Stage): Promise<void>;
}
