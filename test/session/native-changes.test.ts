import assert from "node:assert/strict";
import { test } from "node:test";
import type { FamilyName } from "../../src/index.ts";
import { integer, Multibind, native } from "../../src/index.ts";
import { isCopy, restoreCopy, takeCopy } from "../../src/model/object-snapshot.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const BYTES: Readonly<Record<FamilyName, string>> = { sqlite: "geometry", postgres: "bytea", mysql: "varbinary(20)" };

onEachFamily(
  "native bytes that were only read are unchanged, and a change in place is seen",
  async (t, url, family) => {
    const db = new Multibind();
    class Shape extends db.model("native_shape", {
      id: integer().primaryKey(),
      value: native<Uint8Array>(BYTES[family]),
    }) {}
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    session.add(new Shape({ value: Buffer.from([5]) }));
    await session.commit();
    assert.equal([...session.dirty].length, 0);
    const other = sessionOf(app);
    const shape = await other.getOne(Shape, 1);
    assert.deepEqual([...other.dirty], []);
    shape.value = new Uint8Array([5]);
    assert.deepEqual([...other.dirty], []);
    shape.value[0] = 6;
    assert.deepEqual([...other.dirty], [shape]);
    await other.commit();
    assert.deepEqual([...(await sessionOf(app).getOne(Shape, 1)).value], [6]);
  },
);

class Money {
  amount: number;
  constructor(amount: number) {
    this.amount = amount;
  }
}

class Hidden {
  #amount: number;
  constructor(amount: number) {
    this.#amount = amount;
  }
  add(more: number): void {
    this.#amount += more;
  }
  toPostgres(): string {
    return String(this.#amount);
  }
}

const circle: { self?: unknown; n: number } = { n: 1 };
circle.self = circle;

/** Values that JSON cannot tell apart or not write, each with a change in place. */
const CHANGES: readonly (readonly [name: string, value: object, change: (value: never) => void])[] = [
  ["a map", new Map([["a", { n: 1 }]]), (map: Map<string, { n: number }>) => map.set("a", { n: 2 })],
  ["within a map", new Map([["a", { n: 1 }]]), (map: Map<string, { n: number }>) => map.get("a")!.n++],
  ["a set", new Set([1]), (set: Set<number>) => set.add(2)],
  ["a date", new Date(0), (date: Date) => date.setTime(1)],
  ["a date in an array", [new Date(0)], (list: Date[]) => list[0]!.setTime(1)],
  ["a bigint", { n: 1n }, (value: { n: bigint }) => value.n++],
  ["NaN to null", [Number.NaN], (list: unknown[]) => list.splice(0, 1, null)],
  ["undefined to null", [undefined], (list: unknown[]) => list.splice(0, 1, null)],
  ["bytes", new Uint8Array([1]), (bytes: Uint8Array) => bytes.fill(2)],
  ["bytes in an array", [Buffer.from([1])], (list: Buffer[]) => list[0]!.fill(2)],
  ["floats", new Float64Array([1]), (floats: Float64Array) => floats.fill(2)],
  ["an object of a class", new Money(1), (money: Money) => money.amount++],
  ["objects of a class in a list", [new Money(1)], (list: Money[]) => list[0]!.amount++],
  ["a private field", new Hidden(1), (hidden: Hidden) => hidden.add(1)],
  ["a circle", circle, (one: { n: number }) => one.n++],
];

for (const [name, value, change] of CHANGES) {
  test(`a change in place is seen: ${name}`, () => {
    const copy = takeCopy(value);
    assert.equal(isCopy(value, copy), true, "unchanged");
    // Each change is written for its value.
    change(value as never);
    assert.equal(isCopy(value, copy), false, "changed");
  });
}

test("what was copied is made anew, with its class", () => {
  const money = new Money(1);
  const copy = takeCopy([money]);
  money.amount = 2;
  const [restored] = restoreCopy(copy) as Money[];
  assert.ok(restored instanceof Money);
  assert.equal(restored.amount, 1);
  const hidden = new Hidden(1);
  assert.equal(restoreCopy(takeCopy(hidden)), hidden);
  assert.equal(isCopy(Number.NaN, takeCopy(Number.NaN)), true);
});
