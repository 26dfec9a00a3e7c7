import { h } from './dom.js';
import { inFolderOf } from './cells.js';

/** @type {Promise<{render: (view: {model: any, el: HTMLElement}) => () => void, makeModel: (spec: any) => any}>|undefined} */
let house;

/** The gallery that notebooks use, loaded once: its modules, and its style sheets in the page. @param {Server} server */
async function load(server) {
  const { esm, model, css } = await server.ask('gallery/page');
  const modules = await Promise.all([esm, model].map(async (text) => {
    const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    const module = await import(url);
    URL.revokeObjectURL(url);
    return module;
  }));
  document.head.append(h('style', { id: 'knl-gallery-sheets' }, css));
  return { render: modules[0].default.render, makeModel: modules[1].makeModel };
}

/**
 * Return a function that opens the gallery of a log in a tab: by default the open notebook's log, or the newest one.
 * @param {{app: any, tabs: any, restorer: any, tracker: any, widgets: any, apputils: any, server: Server, state: State, cells: Cells}} spec
 */
export function makeGallery({ app, tabs, restorer, tracker, widgets, apputils, server, state, cells }) {
  const opened = new apputils.WidgetTracker({ namespace: 'kling_nb-gallery' });
  const usual = () => {
    const beside = inFolderOf(String(tracker.currentWidget?.context.path ?? '').replace(/^[^/]*:/, ''), 'kling_log');
    const names = state.logs.map((log) => log.name);
    return state.logs.find((log) => log.own)?.name ?? (names.find((name) => state.same(name, beside)) ?? state.clips[0]?.log ?? names[0] ?? beside);
  };
  const open = async (/** @type {string} */ given) => {
    const name = given || usual();
    const found = opened.find((/** @type {any} */ widget) => widget.content.node.dataset.log === name);
    if (found) { app.shell.activateById(found.id); return; }
    const content = new widgets.Widget({ node: h('div', { class: 'knl-gallery', 'data-log': name }) });
    await opened.add(tabs(content, { id: `kling_nb-gallery-${name}`, label: `Clips · ${name.split('/').slice(-2, -1)[0] || 'Kling'}`, caption: name }));
    await fill(content, name);
  };
  /** @param {any} content @param {string} name */
  const fill = async (content, name) => {
    const fail = (/** @type {string} */ reason) => content.node.replaceChildren(h('p', { class: 'knl knl-error' }, reason));
    /** @param {any} message */
    const act = (message) => {
      const clip = /** @type {Clip} */ ({ id: message.id, log: name });
      if (message.kind === 'open') return cells.panel(clip).then(() => 'Added to the open notebook.');
      if (message.kind === 'use_frame') return cells.proceed(clip, message.frame).then(() => 'Added to the open notebook.');
      return undefined;
    };
    try {
      house ??= load(server);
      const { render, makeModel } = await house;
      if (content.isDisposed) return;
      const socket = server.socket('gallery', { log: name });
      socket.onclose = () => { if (!content.isDisposed) fail('The connection to the Jupyter server was lost. Close this tab and open the gallery again.'); };
      content.disposed.connect(() => socket.close());
      const model = makeModel({ socket, act, fail });
      await model.started;
      if (content.isDisposed) return;
      const el = h('div');
      content.node.replaceChildren(el);
      content.disposed.connect(render({ model, el }));
      let seen = '';
      state.onChange(() => {
        const log = state.logs.find((each) => state.same(each.name, name));
        const now = JSON.stringify([log?.jobs, log?.clips]);
        if (seen && now !== seen && !content.isDisposed) model.emit('msg:custom', { kind: 'changed' }, []);
        seen = now;
      });
    } catch (error) {
      house = undefined;
      fail(error.message);
    }
  };
  restorer?.restore(opened, { command: 'kling_nb:open-gallery', args: (/** @type {any} */ tab) => ({ log: tab.content.node.dataset.log }), name: (/** @type {any} */ tab) => tab.content.node.dataset.log });
  return open;
}
