import type { World } from "../steps/world.ts";

/** Anything that is asked of the library: answers itself, no items, and null to whoever awaits it. */
const nothing: unknown = new Proxy(() => {}, {
  get: (_, name) => {
    if (name === "then") return (resolve: (value: null) => void) => resolve(null);
    if (name === Symbol.iterator) return [][Symbol.iterator];
    if (name === Symbol.toPrimitive) return () => "";
    return nothing;
  },
  apply: () => nothing,
  set: () => true,
});

/**
 * A world whose library does nothing: its session, its application and its databases take every call and answer
 * nothing. Its classes are the library's own, so that the runner can make objects of them.
 */
export function hollow(world: World): World {
  const parts = ["session", "db", "application", "databases", "recorder"] as const;
  return Object.create(world, {
    ...Object.fromEntries(parts.map((name) => [name, { value: nothing }])),
    enterContext: { value: () => {} },
    exitContext: { value: () => {} },
    inContext: { value: (work: () => Promise<unknown>) => work() },
    bindKeys: { value: [] },
    statement: { value: () => nothing },
  }) as World;
}
