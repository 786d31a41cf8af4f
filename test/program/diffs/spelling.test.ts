import { afterAll, beforeAll, expect, it } from "vitest";
import { configure, said, startStack, type TestStack } from "./test-stack";

let stack: TestStack;
beforeAll(async () => {
  stack = startStack();
  await stack.engine.up();
});
afterAll(() => stack.close());

it.each(["West Europe", "westEurope", "WESTEUROPE"])("a region spelled %s is no move", async (region) => {
  await stack.engine.setConfig(configure({ "azure-native:location": region }));
  expect(await said(stack.engine)).toEqual([]);
});
