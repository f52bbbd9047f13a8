import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setImmediate as tick } from "node:timers/promises";
import fc from "fast-check";
import { FairSemaphore } from "../../src/engine/pool/fair-semaphore.ts";
import { executionContext, Owner } from "../../src/engine/pool/owner.ts";
import { DatabaseTimeoutError, DeadlockError, SelfDeadlockError } from "../../src/index.ts";

const LONG = { timeout: 60_000 };

function slots(size: number, noun = "connection"): FairSemaphore {
  return new FairSemaphore({ bindKey: "auth", noun, size });
}

const running = new Set<AbortController>();

afterEach(() => {
  for (const controller of running) controller.abort();
  running.clear();
});

/** Takes a place in the background, until the test is over; what became of it can be asked. */
function taking(from: FairSemaphore, owner: Owner, controller = new AbortController()) {
  const state: { outcome: "waits" | "has it" | Error } = { outcome: "waits" };
  running.add(controller);
  from.take(owner, { ...LONG, signal: controller.signal }).then(
    () => {
      state.outcome = "has it";
    },
    (error: Error) => {
      state.outcome = error;
    },
  );
  return state;
}

test("as many owners as there are places get one at once", async () => {
  const two = slots(2);
  await two.take(new Owner("a"), LONG);
  assert.equal(two.tryTake(new Owner("b")), true);
  assert.equal(two.tryTake(new Owner("c")), false);
  assert.deepEqual([two.held, two.waiting], [2, 0]);
});

test("a released slot goes to the owner that has waited longest", async () => {
  const one = slots(1);
  const owners = ["a", "b", "c"].map((name) => new Owner(name));
  one.tryTake(owners[0]!);
  const [b, c] = [taking(one, owners[1]!), taking(one, owners[2]!)];
  one.release(owners[0]!);
  await tick();
  assert.deepEqual([b.outcome, c.outcome], ["has it", "waits"]);
  one.release(owners[1]!);
  await tick();
  assert.equal(c.outcome, "has it");
});

test("no owner overtakes those that wait", async () => {
  const one = slots(1);
  const [a, b] = [new Owner("a"), new Owner("b")];
  one.tryTake(a);
  taking(one, b);
  one.release(a);
  // The place is b's already, though b has not run yet.
  assert.equal(one.tryTake(new Owner("c")), false);
});

test("an owner may have several places, and gives back one at a time", () => {
  const two = slots(2);
  const a = new Owner("a");
  assert.deepEqual([two.tryTake(a), two.tryTake(a), two.tryTake(a)], [true, true, false]);
  two.release(a);
  assert.equal(two.held, 1);
});

test("giving back what one does not have changes nothing", () => {
  const one = slots(1);
  one.tryTake(new Owner("a"));
  one.release(new Owner("b"));
  assert.equal(one.held, 1);
});

test("a wait ends with a DatabaseTimeoutError that names the bind and counts", async () => {
  const two = slots(2);
  for (const name of ["a", "b"]) two.tryTake(new Owner(name));
  await assert.rejects(two.take(new Owner("c"), { timeout: 5 }), (error: unknown) => {
    assert.ok(error instanceof DatabaseTimeoutError);
    assert.equal(error.bindKey, "auth");
    assert.match(error.message, /connection of bind "auth".*0\.005 seconds: 2 of 2 in use, 1 waiting/);
    return true;
  });
  assert.equal(two.waiting, 0);
});

test("a wait of no time at all ends at once where no place is free", async () => {
  const one = slots(1);
  one.tryTake(new Owner("a"));
  await assert.rejects(one.take(new Owner("b"), { timeout: 0 }), DatabaseTimeoutError);
});

test("a signal ends a wait with its reason, before it begins too", async () => {
  const one = slots(1);
  const a = new Owner("a");
  one.tryTake(a);
  const reason = new Error("enough");
  const controller = new AbortController();
  const waiting = taking(one, new Owner("b"), controller);
  controller.abort(reason);
  await tick();
  assert.equal(waiting.outcome, reason);
  await assert.rejects(one.take(new Owner("c"), { ...LONG, signal: controller.signal }), reason);
  assert.equal(one.waiting, 0);
});

test("a signal that comes when the place was just given does not lose the place", async () => {
  const one = slots(1);
  const [a, b] = [new Owner("a"), new Owner("b")];
  one.tryTake(a);
  const controller = new AbortController();
  const waiting = taking(one, b, controller);
  one.release(a);
  controller.abort();
  await tick();
  assert.equal(waiting.outcome, "has it");
  one.release(b);
  assert.equal(one.held, 0);
});

test("a wait for a slot that the surrounding owner holds is refused at once, naming both", async () => {
  const one = slots(1, "writer");
  const outer = new Owner("session 1");
  one.tryTake(outer);
  const inner = new Owner("session 2", new Owner("something between", outer));
  await assert.rejects(one.take(inner, LONG), (error: unknown) => {
    assert.ok(error instanceof SelfDeadlockError);
    assert.equal(error.bindKey, "auth");
    assert.match(error.message, /session 2 waits for itself: the one writer of bind "auth" is held by session 1/);
    return true;
  });
  assert.equal(one.waiting, 0);
});

test("an owner that has a place and wants another that is not there is refused at once", async () => {
  const one = slots(1);
  const a = new Owner("session 1");
  one.tryTake(a);
  await assert.rejects(one.take(a, LONG), SelfDeadlockError);
});

test("a wait is not refused while an unrelated owner holds a slot", async () => {
  const two = slots(2);
  const [outer, other] = [new Owner("outer"), new Owner("other")];
  two.tryTake(outer);
  two.tryTake(other);
  const waiting = taking(two, new Owner("inner", outer));
  await tick();
  assert.equal(waiting.outcome, "waits");
  two.release(other);
  await tick();
  assert.equal(waiting.outcome, "has it");
});

test("a wait behind one's own execution context is refused when those get the place", async () => {
  const one = slots(1);
  const [first, outer] = [new Owner("first"), new Owner("outer")];
  one.tryTake(first);
  const outerWaits = taking(one, outer);
  const innerWaits = taking(one, new Owner("inner", outer));
  one.release(first);
  await tick();
  assert.equal(outerWaits.outcome, "has it");
  assert.ok(innerWaits.outcome instanceof SelfDeadlockError);
});

test("two owners that wait for each other: the younger gives way, and the older goes on", async () => {
  for (const olderWaitsFirst of [true, false]) {
    const [left, right] = [slots(1), slots(1)];
    const [older, younger] = [new Owner("older"), new Owner("younger")];
    left.tryTake(older);
    right.tryTake(younger);
    const first = olderWaitsFirst ? taking(right, older) : taking(left, younger);
    const second = olderWaitsFirst ? taking(left, younger) : taking(right, older);
    const [olderWaits, youngerWaits] = olderWaitsFirst ? [first, second] : [second, first];
    await tick();
    assert.ok(youngerWaits.outcome instanceof DeadlockError);
    assert.equal(youngerWaits.outcome.retryable, true);
    assert.equal(youngerWaits.outcome.bindKey, "auth");
    assert.equal(olderWaits.outcome, "waits");
    right.release(younger);
    await tick();
    assert.equal(olderWaits.outcome, "has it");
  }
});

test("a circle over three owners is seen", async () => {
  const three = [slots(1), slots(1), slots(1)];
  const owners = ["a", "b", "c"].map((name) => new Owner(name));
  for (const [index, owner] of owners.entries()) three[index]!.tryTake(owner);
  const waits = owners.map((owner, index) => taking(three[(index + 1) % 3]!, owner));
  await tick();
  assert.deepEqual(
    waits.map(({ outcome }) => outcome instanceof DeadlockError),
    [false, false, true],
  );
});

test("a circle through work inside of an owner is seen", async () => {
  const [left, right] = [slots(1), slots(1)];
  const [a, b] = [new Owner("a"), new Owner("b")];
  left.tryTake(a);
  right.tryTake(b);
  const inner = new Owner("inside of a", a);
  inner.begin();
  const innerWaits = taking(right, inner);
  const otherWaits = taking(left, b);
  await tick();
  assert.ok(innerWaits.outcome instanceof DeadlockError, "the youngest");
  assert.equal(otherWaits.outcome, "waits");
  inner.end();
});

test("a circle that closes when a place is handed on is seen", async () => {
  const [left, right] = [slots(1), slots(1)];
  const [first, a, b] = [new Owner("first"), new Owner("a"), new Owner("b")];
  left.tryTake(first);
  right.tryTake(a);
  // b waits for both at once; a waits behind it for the place that b is given next.
  const bWaits = [taking(left, b), taking(right, b)];
  const aWaits = taking(left, a);
  await tick();
  assert.equal(aWaits.outcome, "waits");
  left.release(first);
  await tick();
  assert.equal(bWaits[0]!.outcome, "has it");
  assert.ok(bWaits[1]!.outcome instanceof DeadlockError);
  left.release(b);
  await tick();
  assert.equal(aWaits.outcome, "has it");
});

test("several waits that lead to the same place are no circle", async () => {
  const [top, middle, bottom] = [slots(1), slots(1), slots(1)];
  const [holder, between, free] = [new Owner("holder"), new Owner("between"), new Owner("free")];
  top.tryTake(holder);
  middle.tryTake(between);
  bottom.tryTake(free);
  // The holder waits for both others; both will come free, since the last waits for nothing.
  const waits = [taking(bottom, between), taking(bottom, holder), taking(middle, holder)];
  const waiting = taking(top, new Owner("newcomer"));
  await tick();
  assert.deepEqual(
    [...waits, waiting].map(({ outcome }) => outcome),
    ["waits", "waits", "waits", "waits"],
  );
  bottom.release(free);
  await tick();
  assert.equal(waits[0]!.outcome, "has it");
});

test("a wait for a pool is no circle while one of its holders can go on", async () => {
  const [pool, writer] = [slots(2), slots(1)];
  const [a, b, c] = [new Owner("a"), new Owner("b"), new Owner("c")];
  writer.tryTake(a);
  pool.tryTake(b);
  pool.tryTake(c);
  const bWaits = taking(writer, b);
  const aWaits = taking(pool, a);
  await tick();
  assert.deepEqual([aWaits.outcome, bWaits.outcome], ["waits", "waits"]);
  const cWaits = taking(writer, c);
  await tick();
  assert.ok(cWaits.outcome instanceof DeadlockError, "now nobody could go on");
});

test("the owner of the code that runs surrounds the owners that are made in it", () => {
  const outer = new Owner("outer");
  const inner = executionContext.run({ owner: outer }, () => new Owner("inner"));
  assert.equal(inner.surrounding, outer);
  assert.deepEqual([...inner.chain()], [inner, outer]);
  assert.equal(new Owner("alone").surrounding, undefined);
  assert.ok(inner.age > outer.age);
});

test("what an owner waits for counts inner work while it goes on", () => {
  const outer = new Owner("outer");
  const inner = new Owner("inner", outer);
  const wait = { slots: slots(1), fail: () => {} };
  inner.waits.add(wait);
  assert.deepEqual([...outer.pendingWaits()], []);
  inner.begin();
  assert.deepEqual([...outer.pendingWaits()], [[inner, wait]]);
  inner.end();
  assert.deepEqual([...outer.pendingWaits()], []);
});

type Step = { readonly kind: "take" | "release" | "abort" | "tick"; readonly which: number };

test("no slot is lost and no owner is overtaken, in any order of takes, releases and aborts", async () => {
  const steps = fc.array(
    fc.record<Step>({
      kind: fc.constantFrom("take", "take", "release", "release", "abort", "tick"),
      which: fc.nat({ max: 20 }),
    }),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (size, given) => {
      const some = slots(size);
      const owners: { owner: Owner; controller: AbortController; state: ReturnType<typeof taking> }[] = [];
      // What should be: the first `size` of those who neither gave back nor gave up have a place.
      let holding: Owner[] = [];
      let queue: Owner[] = [];
      const fill = () => {
        while (holding.length < size && queue.length > 0) holding.push(queue.shift()!);
      };
      for (const { kind, which } of given) {
        if (kind === "take") {
          const [owner, controller] = [new Owner("one"), new AbortController()];
          const state = taking(some, owner, controller);
          owners.push({ owner, controller, state });
          queue.push(owner);
          fill();
        } else if (kind === "release" && holding.length > 0) {
          const owner = holding[which % holding.length]!;
          some.release(owner);
          holding = holding.filter((one) => one !== owner);
          fill();
        } else if (kind === "abort" && queue.length > 0) {
          const owner = queue[which % queue.length]!;
          owners.find((one) => one.owner === owner)!.controller.abort();
          queue = queue.filter((one) => one !== owner);
        } else if (kind === "tick") {
          await tick();
        }
        assert.deepEqual([some.held, some.waiting], [holding.length, queue.length]);
      }
      await tick();
      for (const { owner, state } of owners) {
        if (holding.includes(owner)) assert.equal(state.outcome, "has it");
        else if (queue.includes(owner)) assert.equal(state.outcome, "waits");
      }
      while (holding.length > 0) {
        some.release(holding.shift()!);
        fill();
      }
      await tick();
      assert.deepEqual([some.held, some.waiting], [0, 0]);
    }),
  );
});

test("in any order of takes, no owner waits for ever", async () => {
  const plans = fc.array(fc.array(fc.tuple(fc.nat({ max: 3 }), fc.boolean()), { minLength: 1, maxLength: 4 }), {
    minLength: 2,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 4, maxLength: 4 }),
      plans,
      async (sizes, given) => {
        const all = sizes.map((size) => slots(size));
        let deadlocks = 0;
        await Promise.all(
          given.map(async (plan) => {
            const owner = new Owner("one");
            for (;;) {
              const held: FairSemaphore[] = [];
              try {
                for (const [index, pauses] of plan) {
                  await all[index]!.take(owner, { timeout: 5000 });
                  held.push(all[index]!);
                  if (pauses) await tick();
                }
                return;
              } catch (error) {
                // Two of the same are more than there are.
                if (error instanceof SelfDeadlockError) return;
                assert.ok(error instanceof DeadlockError, String(error));
                deadlocks++;
              } finally {
                for (const one of held) one.release(owner);
              }
              await tick();
            }
          }),
        );
        assert.deepEqual(
          all.map(({ held, waiting }) => [held, waiting]),
          all.map(() => [0, 0]),
        );
        assert.ok(deadlocks < 1000);
      },
    ),
    { numRuns: 300 },
  );
});
