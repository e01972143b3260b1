/**
 * The platform's own classes, whatever the globals of these names are later: they may be the light ones.
 *
 * Node makes its classes, and a whole HTTP client with them, when somebody first asks for one. That is a
 * fifth of what a process costs until it is up, and most never handle a request of the platform's: so
 * nobody asks here before somebody needs them.
 */

interface Natives {
  readonly Headers: typeof globalThis.Headers;
  readonly Request: typeof globalThis.Request;
  readonly Response: typeof globalThis.Response;
}

type Name = keyof Natives;
type Class = { readonly prototype: object };

export type NativeHeaders = globalThis.Headers;
export type NativeRequest = globalThis.Request;
export type NativeResponse = globalThis.Response;

const names: readonly Name[] = ['Headers', 'Request', 'Response'];
/** How the platform kept them when this module was loaded. */
const kept = new Map(names.map((name) => [name, globalNamed(name)]));
const taken = new Map<Name, Class>();
const lights = new Map<Name, Class>();

export const Native: Natives = {
  get Headers() {
    return nativeOf('Headers') as Natives['Headers'];
  },
  get Request() {
    return nativeOf('Request') as Natives['Request'];
  },
  get Response() {
    return nativeOf('Response') as Natives['Response'];
  },
};

for (const [name, place] of kept) {
  if (place?.get) watch(name, place);
  else if (place) taken.set(name, place.value);
}

/**
 * Makes `instanceof` hold in both directions: an object of ours passes for a platform one with
 * code that kept the platform's class, and a platform object passes for one of ours.
 */
export function standInFor(light: Class, name: Name): void {
  lights.set(name, light);
  const native = taken.get(name);
  if (native) Object.setPrototypeOf(light.prototype, native.prototype);
  Object.defineProperty(light, Symbol.hasInstance, {
    configurable: true,
    value(this: Class, candidate: unknown): boolean {
      if (typeof candidate !== 'object' || candidate === null) return false;
      const isOurs = Object.prototype.isPrototypeOf.call(this.prototype, candidate);
      // A subclass inherits this method and must not accept what merely is a response.
      if (isOurs || this !== light) return isOurs;
      // The platform's, then: its name is asked for first, since its class may have to be made.
      const isNamedSo = Reflect.get(candidate, Symbol.toStringTag) === name;
      return isNamedSo && Object.prototype.isPrototypeOf.call(nativeOf(name).prototype, candidate);
    },
  });
}

function nativeOf(name: Name): Class {
  const known = taken.get(name);
  if (known) return known;
  const stands = globalNamed(name);
  const native: Class = kept.get(name)?.get?.call(globalThis);
  taken.set(name, native);
  // Asked for its class, the platform puts it there for good; the light one may stand there by now.
  if (stands && 'value' in stands) Object.defineProperty(globalThis, name, stands);
  const light = lights.get(name);
  if (light) Object.setPrototypeOf(light.prototype, native.prototype);
  return native;
}

/** Whoever takes the platform's class from the globals makes ours stand in for it. */
function watch(name: Name, { enumerable = false }: PropertyDescriptor): void {
  const put = (value: unknown): void => {
    const how = { value, enumerable, writable: true, configurable: true };
    Object.defineProperty(globalThis, name, how);
  };
  Object.defineProperty(globalThis, name, {
    configurable: true,
    enumerable,
    get: () => {
      const native = nativeOf(name);
      put(native);
      return native;
    },
    set: put,
  });
}

function globalNamed(name: Name): PropertyDescriptor | undefined {
  return Object.getOwnPropertyDescriptor(globalThis, name);
}
