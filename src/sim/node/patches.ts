/** Replaces properties of platform objects and puts every one of them back. */
export class Patches {
  readonly #done: { object: object; key: PropertyKey; before: PropertyDescriptor | undefined }[] =
    [];

  /** Keeps the property as visible as it was. */
  value(object: object, key: PropertyKey, value: unknown): void {
    const enumerable = Object.getOwnPropertyDescriptor(object, key)?.enumerable ?? false;
    this.#define(object, key, { value, writable: true, enumerable, configurable: true });
  }

  getter(object: object, key: PropertyKey, get: (this: never) => unknown): void {
    const before = Object.getOwnPropertyDescriptor(object, key);
    this.#define(object, key, {
      get,
      ...(before?.set ? { set: before.set } : {}),
      enumerable: before?.enumerable ?? false,
      configurable: true,
    });
  }

  restore(): void {
    for (const { object, key, before } of this.#done.reverse()) {
      if (before) Object.defineProperty(object, key, before);
      else Reflect.deleteProperty(object, key);
    }
    this.#done.length = 0;
  }

  #define(object: object, key: PropertyKey, descriptor: PropertyDescriptor): void {
    const before = Object.getOwnPropertyDescriptor(object, key);
    // What the platform made fixed (module getters of some versions) stays as it is.
    if (before && !before.configurable && !before.writable) return;
    Object.defineProperty(
      object,
      key,
      before?.configurable === false ? { value: descriptor.value } : descriptor,
    );
    this.#done.push({ object, key, before });
  }
}

/** A stand-in with the name and arity of the original, as libraries sometimes look at them. */
export function disguised<T extends (...handed: never[]) => unknown>(
  standIn: T,
  original: { readonly name: string; readonly length: number },
): T {
  Object.defineProperty(standIn, 'name', { value: original.name, configurable: true });
  Object.defineProperty(standIn, 'length', { value: original.length, configurable: true });
  return standIn;
}
