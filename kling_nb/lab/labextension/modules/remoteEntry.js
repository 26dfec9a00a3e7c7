// The container that JupyterLab and Notebook 7 load: a classic script whose `init` receives their packages, and whose
// `get` returns a module. A bundler would generate it; this one is written by hand, and loads the modules unbundled.
(() => {
  /** @type {Record<string, Record<string, {get: () => Promise<() => any>, loaded?: boolean}>>} */
  let scope = {};
  /** The copy of a package that the application uses: the loaded one, otherwise the newest. @param {string} name */
  const take = async (name) => {
    const versions = Object.entries(scope[name] ?? {});
    if (!versions.length) return undefined;
    versions.sort(([one, a], [other, b]) => Number(Boolean(b.loaded)) - Number(Boolean(a.loaded)) || other.localeCompare(one, undefined, { numeric: true }));
    return (await versions[0][1].get())();
  };
  /** @type {Record<string, string>} */
  const files = { './extension': './extension.js', './mime': './mime.js', './style': './style.js' };
  const page = /** @type {any} */ (window);
  (page._JUPYTERLAB ??= {}).kling_nb = {
    init: (/** @type {typeof scope} */ shared) => { scope = shared; },
    get: async (/** @type {string} */ name) => {
      const module = await import(files[name]);
      // A plain object: the application sets a field on it, which a module does not allow.
      const made = { __esModule: true, default: await module.plugins(take) };
      return () => made;
    },
  };
})();
