import { CARD } from './icons.js';

const CATEGORY = 'Kling';

/**
 * Add the commands to the palette and the launcher; return the functions that the sidebar's buttons call.
 * @param {any} spec
 */
export function addCommands({ app, palette, launcher, labShell, tracker, notebook, icon, cells, warn, gallery, documentation }) {
  const { commands, serviceManager } = app;
  const folder = () => {
    const path = String(tracker.currentWidget?.context.path ?? '');
    return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  };
  const create = async (/** @type {string} */ cwd) => {
    const { contents, kernelspecs } = serviceManager;
    const name = kernelspecs.specs?.default ?? 'python3';
    const { path } = await contents.newUntitled({ path: cwd, type: 'notebook' });
    const spec = kernelspecs.specs?.kernelspecs[name];
    const metadata = { kernelspec: { name, display_name: spec?.display_name ?? name, language: spec?.language ?? 'python' } };
    const cell = { cell_type: 'code', id: 'kling', source: 'import kling_nb as kn\n\nkn.panel()', metadata: {}, outputs: [], execution_count: null };
    await contents.save(path, { type: 'notebook', format: 'json', content: { cells: [cell], metadata, nbformat: 4, nbformat_minor: 5 } });
    const opened = await commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { name } });
    if (!opened?.context || !labShell) return; // Notebook 7 opens its own page
    await opened.context.ready;
    await opened.sessionContext.ready;
    await notebook.NotebookActions.run(opened.content, opened.sessionContext);
  };
  /** @type {[string, string, (args: any) => any][]} */
  const all = [
    ['kling_nb:new-notebook', 'New Kling notebook', (args) => create(args.cwd ?? folder())],
    ['kling_nb:open-gallery', 'Open gallery', (args) => gallery(args.log ?? '')],
    ['kling_nb:resume', 'Resume unfinished jobs', () => cells.run('kn.resume()')],
    ['kling_nb:spending', 'Show spending', () => cells.run('kn.spending()')],
    ['kling_nb:documentation', 'Documentation', documentation],
  ];
  /** @type {{dispose: () => void}[]} */
  const added = [];
  for (const [id, label, execute] of all) {
    added.push(commands.addCommand(id, { label: (/** @type {any} */ args) => (args.isLauncher ? 'Kling' : label), icon, execute: async (/** @type {any} */ args) => { try { await execute(args); } catch (error) { warn(error.message); } } }));
    if (palette) added.push(palette.addItem({ command: id, category: CATEGORY }));
  }
  if (launcher) added.push(launcher.add({ command: 'kling_nb:new-notebook', args: { isLauncher: true }, category: 'Notebook', rank: 10, kernelIconUrl: CARD }));
  return {
    create: () => create(folder()),
    gallery: (/** @type {string} */ log) => commands.execute('kling_nb:open-gallery', { log }),
    remove() { for (const each of added) each.dispose(); },
  };
}
