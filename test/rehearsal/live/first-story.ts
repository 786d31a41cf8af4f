import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { changesOf, type Engine } from "../engine/engine";
import type { Steps } from "../steps";
import type { OnionResponse } from "../tor/fetch-onion";

/** An engine and a cloud, with the machine that they make: the one thing that differs between loopback and Azure. */
export interface Ground {
  engine: Engine;
  /** Comes back once the machine that `up` made runs. */
  boot(outputs: Record<string, unknown>): Promise<void>;
  /** Fetches a page over the Tor network that the machine is in. */
  fetch(url: string): Promise<OnionResponse>;
  /** Gives the secret `token` another plaintext, where its owner keeps it. */
  rotate(): void;
  /** Comes back once the machine that runs has the rotated secret. @throws where it does not get it */
  hasRotated(): Promise<void>;
}

/** Up, boot, page over Tor, a rotated secret, up again with no change, destroy. @throws where one is otherwise */
export async function tellFirst({ engine, ...ground }: Ground, steps: Steps): Promise<void> {
  await steps.run("pulumi up: vault, secrets, image, VM", () => engine.up());
  const outputs = await engine.outputs();
  await steps.run("the machine runs", () => ground.boot(outputs));
  await steps.run("its page, fetched over Tor", () => checkPage(ground, String(outputs.onionHostname)));
  await steps.run("a rotated secret reaches it as it runs", async () => {
    ground.rotate();
    const changes = changesOf(await engine.up());
    const others = changes.filter((change) => /^(create|delete|replace)/.test(change));
    assert.deepEqual(others, [], "a rotated secret makes or removes nothing");
    assert.notDeepEqual(changes, [], "a rotated secret is a change");
    await ground.hasRotated();
  });
  await steps.run("up again changes nothing", async () => assert.deepEqual(changesOf(await engine.up()), []));
  await steps.run("pulumi destroy", () => engine.destroy());
}

async function checkPage(ground: Pick<Ground, "fetch">, hostname: string): Promise<void> {
  const { status, body } = await ground.fetch(`http://${hostname}/`);
  const site = fs.readFileSync(path.join("nix", "site", "index.html"));
  if (status !== 200) throw new Error(`http://${hostname}/ answers ${status}`);
  if (!body.equals(site)) throw new Error(`http://${hostname}/ shows another page than nix/site/`);
}
