import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Entity } from "../../src/model/entity.ts";
import { EntitiesByKey } from "../../src/session/entities/entities-by-key.ts";
import type { IdentityKey } from "../../src/session/entities/identity-key.ts";

class Thing extends Entity {}

/** Does the same to entities by key and to a map, and finds the same in both. */
function assertAlike(keys: readonly IdentityKey[], steps: readonly (readonly ["set" | "delete", IdentityKey])[]): void {
  const entities = new EntitiesByKey();
  const map = new Map<IdentityKey, Entity>();
  for (const [step, key] of steps) {
    if (step === "set") {
      const thing = new Thing();
      entities.set(key, thing);
      map.set(key, thing);
    } else {
      entities.delete(key);
      map.delete(key);
    }
    assert.equal(entities.size, map.size);
    assert.ok(entities.list.every((entity, place) => entity === [...map.values()][place]));
    for (const one of keys) assert.equal(entities.get(one), map.get(one));
  }
}

test("entities are found by their keys, in whichever order they come and go", () => {
  const key = fc.oneof(fc.integer({ min: -4, max: 12 }), fc.constantFrom(0.5, 1e20), fc.constantFrom("1", "a", ""));
  const step = fc.tuple(fc.constantFrom("set" as const, "set" as const, "set" as const, "delete" as const), key);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 24 }), (steps) => {
      assertAlike([...steps.map(([, one]) => one), 3, "3", 3n, Number.NaN], steps);
    }),
    { numRuns: 500 },
  );
});

test("entities whose keys rise are found, and so are those that come after another order", () => {
  const rising = fc
    .uniqueArray(fc.integer(), { maxLength: 40 })
    .map((keys) => keys.sort((a, b) => a - b).map((key) => ["set", key] as const));
  fc.assert(
    fc.property(rising, fc.array(fc.integer(), { maxLength: 4 }), (steps, others) => {
      const all = [...steps, ...others.map((key) => ["set", key] as const)];
      assertAlike([...all.map(([, key]) => key), ...all.map(([, key]) => key + 1)], all);
    }),
  );
});

test("an entity takes the place of another with its key", () => {
  const [first, second, other] = [new Thing(), new Thing(), new Thing()];
  const entities = new EntitiesByKey();
  entities.set(1, first);
  entities.set(2, other);
  entities.set(1, second);
  assert.deepEqual([entities.get(1) === second, entities.get(2) === other, entities.size], [true, true, 2]);
});
