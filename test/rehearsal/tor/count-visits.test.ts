import { describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import { until } from "../../components/image/upload/run-command";
import { fetchOnion } from "./fetch-onion";
import { followDescriptors } from "./follow-descriptors";
import { withOnionStage } from "./with-onion-stage";

const missing = ["tor", "tor-gencert", "socat", "jq"].filter((program) => findOnPath(program) === undefined);
const skipped = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} not on PATH)`;

describe.skipIf(missing.length > 0)(`a replica counts its visits${skipped}`, () => {
  const opened = withOnionStage();

  it("as tor itself does, by introductions; one that is not asked to counts none", async () => {
    const { directory, stage } = opened();
    const service = await stage.service("machine");
    const counting = followDescriptors(directory, service.directory, stage.hostname, { count: 1 });
    const other = followDescriptors(directory, service.directory, stage.hostname);
    await Promise.all([counting.until("own"), other.until("own")]);
    const before = counting.visits()?.introductions ?? 0;
    for (const circuit of ["one", "two", "three"]) {
      const url = `http://${stage.hostname}/`;
      await fetchOnion(stage.network.client.socksPort, url, { deadlineMs: 60_000, circuit });
    }
    await until("three more are counted", () => (counting.visits()?.introductions ?? 0) >= before + 3);
    expect(counting.visits()?.seconds).toBeGreaterThan(0);
    expect(counting.read()?.state).toBe("own");
    expect(other.visits()).toBeUndefined();
    await Promise.all([counting.close(), other.close()]);
    expect(counting.stderr()).toMatch(/^<2>sealed-onion: published: \S+\n$/); // and nothing of visits
    await service.close();
  }, 240_000);
});
