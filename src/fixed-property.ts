/** Makes an assigned property of an object read-only: it identifies the object. */
export function fixProperty<T extends object>(target: T, name: keyof T & string): void {
  Object.defineProperty(target, name, { writable: false, configurable: false });
}
