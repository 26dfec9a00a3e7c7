// The container that JupyterLab and Notebook 7 load: a classic script whose `init` receives their packages, and whose
// `get` gives a module. A bundler would write one; this one is written by hand, and the modules are loaded as they are.
(() => {
  /** @type {Record<string, Record<string, {get: () => Promise<() => any>, loaded?: boolean}>>} */
  let scope = {};
  /** The copy of a package that the application itself uses: a loaded one, else the newest. @param {string} name */
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
      // An object of our own: the application writes a field on it, which a module does not allow.
      const made = { __esModule: true, default: await module.plugins(take) };
      return () => made;
    },
  };
})();
