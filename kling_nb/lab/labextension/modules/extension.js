import { makeCells } from './cells.js';
import { addCommands } from './commands.js';
import { makeDrag } from './drag.js';
import { dollars, h } from './dom.js';
import { makeGallery } from './gallery.js';
import { KLING } from './icons.js';
import { notifyOfEnds } from './notify.js';
import { makeServer } from './server.js';
import { share } from './shared.js';
import { makeSidebar } from './sidebar.js';
import { makeState } from './state.js';
import { makeTabs } from './tabs.js';

const ID = 'kling_nb:plugin';

/**
 * The plugin: sidebar, status bar, launcher and commands. Each of them is optional: Notebook 7 has neither a
 * launcher nor a status bar, and Voila has none of them.
 * @param {(name: string) => Promise<any>} take
 */
export async function plugins(take) {
  const names = ['application', 'apputils', 'launcher', 'notebook', 'rendermime', 'services', 'settingregistry', 'statusbar', 'ui-components'].map((name) => `@jupyterlab/${name}`);
  const [application, apputils, launcher, notebook, rendermime, services, settingregistry, statusbar, ui] = await Promise.all(names.map(take));
  const [widgets, dragdrop, coreutils] = await Promise.all(['widgets', 'dragdrop', 'coreutils'].map((name) => take(`@lumino/${name}`)));
  const tokens = {
    labShell: application?.ILabShell, restorer: application?.ILayoutRestorer, palette: apputils?.ICommandPalette, launcher: launcher?.ILauncher,
    tracker: notebook?.INotebookTracker, rendermime: rendermime?.IRenderMimeRegistry, settings: settingregistry?.ISettingRegistry, statusBar: statusbar?.IStatusBar,
  };
  const given = Object.entries(tokens).filter(([, token]) => token);

  /** @param {any} app @param {...any} services_ */
  const activate = (app, ...services_) => {
    /** @type {Record<string, any>} */
    const parts = Object.fromEntries(given.map(([name], index) => [name, services_[index]]));
    if (!parts.tracker || !app.shell?.add || !ui || !services) return;
    const { Notification } = apputils;
    const server = makeServer(services);
    const state = makeState(server);
    const icon = new ui.LabIcon({ name: 'kling_nb:icon', svgstr: KLING });
    const warn = (/** @type {string} */ text) => Notification.warning(text, { autoClose: 6000 });
    const cells = makeCells({ shell: app.shell, tracker: parts.tracker, state, actions: notebook.NotebookActions, warn });

    // Added before the server has answered, so that the application restores it open; removed if it does not answer.
    const node = h('div', { class: 'knl-panel' });
    const panel = new widgets.Widget({ node });
    panel.id = 'kling_nb';
    panel.title.icon = icon;
    panel.title.caption = 'Kling: jobs and clips of all notebooks';
    app.shell.add(panel, 'left', { rank: 610, type: 'Kling' });
    parts.restorer?.add(panel, 'kling_nb');

    const tabs = makeTabs({ app, labShell: parts.labShell, apputils, icon });
    const gallery = makeGallery({ app, tabs, restorer: parts.restorer, tracker: parts.tracker, widgets, apputils, server, state, cells });
    /** @type {any} */
    let shown;
    const documentation = async () => {
      if (shown && !shown.isDisposed) { app.shell.activateById(shown.id); return; }
      const { text } = await server.ask('documentation');
      const page = parts.rendermime.createRenderer('text/markdown');
      page.addClass('knl-documentation');
      await page.renderModel(parts.rendermime.createModel({ data: { 'text/markdown': text } }));
      shown = tabs(page, { id: 'kling_nb-documentation', label: 'Kling · Documentation', caption: 'How to use kling_nb' });
    };
    const acts = addCommands({ app, ...parts, notebook, icon, cells, warn, gallery, documentation });
    begin({ app, ...parts }, { acts, server, state, cells, icon, panel, node, warn, Notification });
  };
  /** Ask the server half for its version, then show everything else; the application does not wait for this. @param {any} parts @param {any} own */
  const begin = async (parts, { acts, server, state, cells, icon, panel, node, warn, Notification }) => {
    const { app } = parts;
    /** @type {{version: string}} */
    let about;
    try {
      about = await server.ask('about');
    } catch {
      panel.dispose();
      acts.remove();
      return;
    }
    const own = await fetch(new URL('../package.json', import.meta.url)).then((answer) => answer.json()).catch(() => about);
    const notice = () => versionNotice(own.version, state.version || about.version);
    const settings = await parts.settings?.load(ID).catch(() => null);
    /** @param {string} name */
    const setting = (name) => settings?.get(name).composite ?? true;

    const drag = makeDrag({ Drag: dragdrop.Drag, MimeData: coreutils.MimeData, cells });
    const sidebar = makeSidebar({ state, server, cells, drag, acts, notice });
    node.append(sidebar.el);
    if (parts.statusBar) addStatus({ statusBar: parts.statusBar, widgets, state, shown: () => setting('status'), settings, reveal: () => app.shell.activateById(panel.id) });
    notifyOfEnds({ state, server, Notification, wanted: () => setting('notify'), cells });
    share({ server, state, cells });
    state.start();
  };
  return [{ id: ID, description: 'The clips and jobs of all notebooks.', autoStart: true, optional: given.map(([, token]) => token), activate }];
}

/** What to do when page and server are of different versions; empty if they are not. @param {string} page @param {string} server */
export function versionNotice(page, server) {
  if (!server || page === server) return '';
  return `This page has kling_nb ${page}, and the Jupyter server ${server}. Restart the server and reload the page.`;
}

/** @param {{statusBar: any, widgets: any, state: State, shown: () => boolean, settings: any, reveal: () => void}} spec */
function addStatus({ statusBar, widgets, state, shown, settings, reveal }) {
  const node = h('div', { class: 'knl knl-status', role: 'button', tabindex: '0', title: 'Kling: jobs and spending of all notebooks', on: { click: reveal, keydown: (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Enter') reveal(); } } });
  const item = new widgets.Widget({ node });
  statusBar.registerStatusItem('kling_nb:status', { align: 'left', rank: 30, item });
  const paint = () => {
    const count = state.jobs.length;
    node.textContent = [count && `${count} under way`, (count || state.today) && `${dollars(state.today)} today`].filter(Boolean).join(' · ');
    item.setHidden(!shown() || !node.textContent);
  };
  state.onChange(paint);
  settings?.changed.connect(paint);
  paint();
}
