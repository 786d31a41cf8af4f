import { expect, it } from "vitest";
import { readEvaluatedGuest } from "../guest/evaluated";
import { torrcLines } from "./torrc";

it("the settings that the modules evaluate to are lines that tor takes: a word, and values that are texts", () => {
  const { services, settings } = readEvaluatedGuest().tor;
  const lines = [settings, ...Object.values(services).map((service) => service.settings)].flatMap(torrcLines);
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.filter((line) => !/^[A-Za-z]\w* \S/.test(line) || line.includes("[object"))).toEqual([]);
});
