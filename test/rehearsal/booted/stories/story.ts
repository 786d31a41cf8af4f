import type { Stage } from "../stage";

/** Something that happens to a machine, and what must come of it. */
export interface Story {
  name: string;
  /** Told only where all stories are asked for. */
  isLong?: boolean;
  /** @throws with what is otherwise than it must be */
  tell(stage: Stage): Promise<void>;
}
