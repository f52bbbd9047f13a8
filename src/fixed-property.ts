/** Makes a property of an object that is set already one that nobody can assign: it identifies the object. */
export function fixProperty<T extends object>(target: T, name: keyof T & string): void {
  Object.defineProperty(target, name, { writable: false, configurable: false });
}
