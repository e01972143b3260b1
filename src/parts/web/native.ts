/**
 * The platform's own classes, taken when this module loads: later the globals of these names may
 * be the light ones.
 */
export const Native = {
  Headers: globalThis.Headers,
  Request: globalThis.Request,
  Response: globalThis.Response,
};

export type NativeHeaders = globalThis.Headers;
export type NativeRequest = globalThis.Request;
export type NativeResponse = globalThis.Response;

/**
 * Makes `instanceof` hold in both directions: an object of ours passes for a platform one with
 * code that kept the platform's class, and a platform object passes for one of ours.
 */
export function standInFor(
  light: { readonly prototype: object },
  native: { readonly prototype: object },
): void {
  Object.setPrototypeOf(light.prototype, native.prototype);
  Object.defineProperty(light, Symbol.hasInstance, {
    configurable: true,
    value(this: { readonly prototype: object }, candidate: unknown): boolean {
      // A subclass inherits this method and must not accept what merely is a response.
      const wanted = this === light ? native.prototype : this.prototype;
      return (
        typeof candidate === 'object' &&
        candidate !== null &&
        Object.prototype.isPrototypeOf.call(wanted, candidate)
      );
    },
  });
}
