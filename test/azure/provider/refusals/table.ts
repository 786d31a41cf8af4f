import { beforeEach, describe, expect, it } from "vitest";
import type { PropertyMap } from "../values";
import { makeWorld, type World } from "../world";

/** What is refused, the type, the inputs, and the error as the user reads it. */
export type Row = [what: string, token: string, inputs: (world: World) => PropertyMap, error: string];

/** One table of inputs that the provider refuses before it asks Azure, and one of requests that Azure refuses. */
export interface Refusals {
  readonly checked: readonly Row[];
  readonly refused: readonly Row[];
  /** What must be there besides `makeWorld`. */
  readonly prepare?: (world: World) => void;
}

export function tellRefusals({ checked, prepare, refused }: Refusals): void {
  let world: World;
  beforeEach(async () => {
    world = await makeWorld();
    prepare?.(world);
  });

  describe("inputs that are refused before anything is asked of Azure", () => {
    it.each(checked)("%s", async (_, token, inputs, error) => {
      const { failures } = await world.check(token, inputs(world));
      expect(failures.map(({ reason }) => reason).join("; ")).toContain(error);
    });
  });

  describe("requests that Azure refuses", () => {
    it.each(refused)("%s", async (_, token, inputs, error) => {
      await world.create("resources:ResourceGroup", { resourceGroupName: "group2" });
      const before = world.cloud.list().length;
      await expect(world.create(token, inputs(world))).rejects.toThrow(error);
      expect(world.cloud.list()).toHaveLength(before);
    });
  });
}
