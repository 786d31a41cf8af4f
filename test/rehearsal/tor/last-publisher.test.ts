import { describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import { fetchOnion } from "./fetch-onion";
import { followDescriptors } from "./follow-descriptors";
import type { OnionService } from "./onion-service";
import { withOnionStage } from "./with-onion-stage";

const missing = ["tor", "tor-gencert", "socat", "jq"].filter((program) => findOnPath(program) === undefined);
const skipped = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} not on PATH)`;

describe.skipIf(missing.length > 0)(`a machine that took over an address${skipped}`, () => {
  const opened = withOnionStage();

  it("publishes once more when the machine before was the last to publish; one that has long run does not", async () => {
    const { directory, stage } = opened();
    const follow = (service: OnionService, uptimeSeconds: number) =>
      followDescriptors(directory, service.directory, stage.hostname, { uptimeSeconds });
    const next = await stage.service("next");
    const [young, aged] = [follow(next, 60), follow(next, 86_400)];
    await Promise.all([young.until("own"), aged.until("own")]);
    const late = await stage.service("before"); // the machine before publishes after the new one
    await Promise.all([young.until("other"), aged.until("other")]);
    // The status is written at once: what waits for this machine hears of it without the status's own pause.
    expect(young.systemctl()).toContain("--no-block restart write-status.service");
    expect(young.systemctl()).toContain("--no-block restart tor.service");
    expect(young.stderr()).toContain(`${stage.hostname} leads to the machine before: tor is restarted`);
    expect(aged.systemctl()).not.toContain("--no-block restart tor.service");
    await Promise.all([young.close(), aged.close()]);
    await next.close();
    const again = await stage.service("next-again");
    const follower = follow(again, 90);
    await follower.until("own");
    await late.close();
    await fetchOnion(stage.network.client.socksPort, `http://${stage.hostname}/`, { deadlineMs: 60_000 });
    expect(follower.read()?.published).toMatch(/^\d{4}-.*Z$/);
    await follower.close();
    await again.close();
  }, 300_000);
});
