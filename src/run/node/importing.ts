/** Node's `import()`. On its own, since the build hands it to the script that modules are joined into, which has none. */
export const importing = (address: string): Promise<unknown> => import(address);
