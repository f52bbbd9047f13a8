import type { Engine } from "./engine.ts";

/** Makes something once for each engine and each object, and forgets it with either of them. */
export function memoizePerEngine<K extends object, V extends object>(
  make: (key: K, engine: Engine) => V,
): (key: K, engine: Engine) => V {
  const made = new WeakMap<Engine, WeakMap<K, V>>();
  return (key, engine) => {
    let ofEngine = made.get(engine);
    if (ofEngine === undefined) {
      ofEngine = new WeakMap();
      made.set(engine, ofEngine);
    }
    let value = ofEngine.get(key);
    if (value === undefined) {
      value = make(key, engine);
      ofEngine.set(key, value);
    }
    return value;
  };
}
