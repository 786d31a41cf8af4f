import { randomBytes, randomInt } from "node:crypto";
import { detailedDiff } from "loopback-azure/provider/property-diff";
import type { CheckFailure, ResourceProvider } from "loopback-azure/provider/provider";
import { isUnknown, type PropertyMap, plainMap, secret, UNKNOWN } from "loopback-azure/provider/values";

/** One type of the random provider. Source: pulumi-random 4.21 over terraform-provider-random's schema. */
interface RandomKind {
  required: string[];
  optional: string[];
  /** Outputs besides the inputs, which a preview does not know. */
  outputs: string[];
  /** Outputs that are secret by the schema. */
  secrets: string[];
  make(inputs: PropertyMap): { id: string; outputs: PropertyMap };
}

const POOLS = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
};

function pick(pool: string): string {
  return pool.charAt(randomInt(pool.length));
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** Characters of the pools that are on, with the least of each that is asked for, shuffled. */
function randomText(inputs: PropertyMap): string {
  const special = typeof inputs.overrideSpecial === "string" ? inputs.overrideSpecial : POOLS.special;
  const pools = { ...POOLS, special };
  const on = Object.entries(pools).filter(([name]) => inputs[name] !== false);
  const minimum = { lower: "minLower", upper: "minUpper", numeric: "minNumeric", special: "minSpecial" };
  const least = Object.entries(minimum).flatMap(([name, input]) =>
    Array.from({ length: count(inputs[input]) }, () => pick(pools[name as keyof typeof pools])),
  );
  const all = on.map(([, pool]) => pool).join("");
  const rest = Array.from({ length: Math.max(0, count(inputs.length) - least.length) }, () => pick(all));
  const characters = [...least, ...rest];
  for (let index = characters.length - 1; index > 0; index -= 1) {
    const other = randomInt(index + 1);
    [characters[index], characters[other]] = [characters[other] ?? "", characters[index] ?? ""];
  }
  return characters.join("");
}

const textInputs = [
  ..."keepers lower minLower minNumeric minSpecial minUpper numeric number overrideSpecial special upper".split(" "),
];

const kinds: Record<string, RandomKind> = {
  "random:index/randomBytes:RandomBytes": {
    required: ["length"],
    optional: ["keepers"],
    outputs: ["base64", "hex"],
    secrets: ["base64", "hex"],
    make(inputs) {
      const bytes = randomBytes(count(inputs.length));
      const outputs = { base64: bytes.toString("base64"), hex: bytes.toString("hex") };
      return { id: outputs.base64, outputs };
    },
  },
  "random:index/randomString:RandomString": {
    required: ["length"],
    optional: textInputs,
    outputs: ["result"],
    secrets: [],
    make(inputs) {
      const result = randomText(inputs);
      return { id: result, outputs: { result } };
    },
  },
};

function kindOf(type: string): RandomKind {
  const kind = kinds[type];
  if (kind === undefined)
    throw new Error(`${type} is not simulated: describe it in test/rehearsal/providers/random.ts`);
  return kind;
}

function failuresOf(kind: RandomKind, inputs: PropertyMap): CheckFailure[] {
  const missing = kind.required.filter((name) => inputs[name] === undefined);
  const unknown = Object.keys(inputs).filter((name) => ![...kind.required, ...kind.optional].includes(name));
  const size = inputs.length ?? inputs.byteLength;
  const wrong = !isUnknown(size) && size !== undefined && !(Number.isInteger(size) && count(size) >= 1);
  return [
    ...missing.map((property) => ({ property, reason: `missing required property '${property}'` })),
    ...unknown.map((property) => ({ property, reason: `unknown property '${property}'` })),
    ...(wrong ? [{ property: "length", reason: `a length must be a whole number of at least 1, got ${size}` }] : []),
  ];
}

/** Every input of the random provider makes a new value when it changes. */
export function simulatedRandom(): ResourceProvider {
  function hidden(kind: RandomKind, outputs: PropertyMap): PropertyMap {
    const marked = Object.entries(outputs).map(([name, value]) => [
      name,
      kind.secrets.includes(name) ? secret(value) : value,
    ]);
    return Object.fromEntries(marked);
  }
  return {
    package: "random",
    version: "4.21.2",
    async check({ type, news }) {
      return { inputs: news, failures: failuresOf(kindOf(type), plainMap(news)) };
    },
    async diff({ type, oldInputs, news }) {
      const { required, optional } = kindOf(type);
      return {
        detailed: detailedDiff(plainMap(oldInputs), plainMap(news), [...required, ...optional]),
        deleteBeforeReplace: false,
      };
    },
    async create({ type, inputs, preview }) {
      const kind = kindOf(type);
      if (preview) {
        const unknown = Object.fromEntries(kind.outputs.map((name) => [name, UNKNOWN]));
        return { id: "", outputs: { ...inputs, ...hidden(kind, unknown) } };
      }
      const { id, outputs } = kind.make(plainMap(inputs));
      return { id, outputs: { ...inputs, ...hidden(kind, outputs) } };
    },
    async read({ inputs, outputs }) {
      return { inputs, outputs };
    },
    async update({ inputs, oldOutputs }) {
      return { ...oldOutputs, ...inputs };
    },
    async delete() {},
    async invoke(token) {
      throw new Error(`${token} is not simulated`);
    },
  };
}
