import { h } from './dom.js';
import { inFolderOf } from './cells.js';

/** @type {Promise<{render: (view: {model: any, el: HTMLElement}) => () => void}>|undefined} */
let house;

/** The gallery of the notebooks, loaded once: its module, and its sheets in the page. @param {Server} server */
async function load(server) {
  const { esm, css } = await server.ask('gallery/page');
  const url = URL.createObjectURL(new Blob([esm], { type: 'text/javascript' }));
  const module = await import(url);
  URL.revokeObjectURL(url);
  document.head.append(h('style', { id: 'knl-gallery-sheets' }, css));
  return module.default;
}

/**
 * What the gallery takes for its widget's model; its messages go to the server half. Two of them act in a notebook, and
 * are answered here.
 * @param {{socket: WebSocket, act: (message: any) => Promise<string>|undefined, fail: (reason: string) => void}} spec
 */
function makeModel({ socket, act, fail }) {
  /** @type {Record<string, any>} */
  const traits = { filters: {}, choices: {}, comparison: {}, alert: {}, rows: [] };
  /** @type {Map<string, Set<(...args: any[]) => void>>} */
  const listeners = new Map();
  const emit = (/** @type {string} */ event, /** @type {any[]} */ ...args) => { for (const hear of [...(listeners.get(event) ?? [])]) hear(...args); };
  /** @type {{message: any, missing: number, buffers: DataView[]}|null} */
  let partial = null;
  /** @type {() => void} */
  let ready = () => {};
  const started = new Promise((resolve) => { ready = () => resolve(undefined); });
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => {
    if (typeof data !== 'string') {
      partial?.buffers.push(new DataView(data));
      if (partial && partial.buffers.length === partial.missing) { const { message, buffers } = partial; partial = null; emit('msg:custom', message, buffers); }
      return;
    }
    const news = JSON.parse(data);
    if (news.error) fail(news.error);
    else if (news.ready) ready();
    else if (news.trait) { traits[news.trait] = news.value; emit(`change:${news.trait}`); }
    else if (news.buffers) partial = { message: news.message, missing: news.buffers, buffers: [] };
    else emit('msg:custom', news.message, []);
  };
  return {
    started,
    emit,
    get: (/** @type {string} */ name) => traits[name],
    set: (/** @type {string} */ name, /** @type {any} */ value) => { traits[name] = value; },
    save_changes() {},
    send(/** @type {any} */ message) {
      const done = act(message);
      if (done) done.then((text) => emit('msg:custom', { kind: 'done', call: message.call, text }, []));
      else if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    on(/** @type {string} */ event, /** @type {(...args: any[]) => void} */ hear) { if (!listeners.has(event)) listeners.set(event, new Set()); listeners.get(event)?.add(hear); },
    off(/** @type {string} */ event, /** @type {(...args: any[]) => void} */ hear) { listeners.get(event)?.delete(hear); },
  };
}

/**
 * Return what opens the gallery of a log in a tab; without a name, that of the open notebook's log, or the newest one.
 * @param {{app: any, labShell: any, restorer: any, tracker: any, widgets: any, apputils: any, icon: any, server: Server, state: State, cells: Cells}} spec
 */
export function makeGallery({ app, labShell, restorer, tracker, widgets, apputils, icon, server, state, cells }) {
  const opened = new apputils.WidgetTracker({ namespace: 'kling_nb-gallery' });
  const usual = () => {
    const beside = inFolderOf(String(tracker.currentWidget?.context.path ?? '').replace(/^[^/]*:/, ''), 'kling_log');
    const names = state.logs.map((log) => log.name);
    return state.logs.find((log) => log.own)?.name ?? (names.includes(beside) ? beside : state.clips[0]?.log ?? names[0] ?? beside);
  };
  const open = async (/** @type {string} */ given) => {
    const name = given || usual();
    const found = opened.find((/** @type {any} */ widget) => widget.content.node.dataset.log === name);
    if (found) { app.shell.activateById(found.id); return; }
    const content = new widgets.Widget({ node: h('div', { class: 'knl-gallery', 'data-log': name }) });
    const tab = new apputils.MainAreaWidget({ content });
    tab.id = `kling_nb-gallery-${name}`;
    Object.assign(tab.title, { icon, label: `Clips · ${name.split('/').slice(-2, -1)[0] || 'Kling'}`, caption: name, closable: true });
    app.shell.add(tab, labShell ? 'main' : 'right', { mode: 'tab-after' });
    if (!labShell) app.shell.expandRight?.(tab.id);
    app.shell.activateById(tab.id);
    await opened.add(tab);
    await fill(content, name);
  };
  /** @param {any} content @param {string} name */
  const fill = async (content, name) => {
    const fail = (/** @type {string} */ reason) => content.node.replaceChildren(h('p', { class: 'knl knl-error' }, reason));
    const socket = server.socket('gallery', { log: name });
    /** @param {any} message */
    const act = (message) => {
      const clip = /** @type {Clip} */ ({ id: message.id, log: name });
      if (message.kind === 'open') return cells.panel(clip).then(() => 'Added to the open notebook.');
      if (message.kind === 'use_frame') return cells.proceed(clip, message.frame).then(() => 'Added to the open notebook.');
      return undefined;
    };
    const model = makeModel({ socket, act, fail });
    let close = () => {};
    content.disposed.connect(() => { socket.close(); close(); });
    socket.onclose = () => { if (!content.isDisposed) fail('The connection to the Jupyter server was lost. Close this tab and open the gallery again.'); };
    house ??= load(server);
    try {
      const [gallery] = await Promise.all([house, model.started]);
      const el = h('div');
      content.node.replaceChildren(el);
      close = gallery.render({ model, el });
    } catch (error) {
      house = undefined;
      fail(error.message);
    }
    let seen = '';
    state.onChange(() => {
      const log = state.logs.find((each) => each.name === name);
      const now = JSON.stringify([log?.jobs, log?.clips]);
      if (seen && now !== seen && !content.isDisposed) model.emit('msg:custom', { kind: 'changed' }, []);
      seen = now;
    });
  };
  restorer?.restore(opened, { command: 'kling_nb:open-gallery', args: (/** @type {any} */ tab) => ({ log: tab.content.node.dataset.log }), name: (/** @type {any} */ tab) => tab.content.node.dataset.log });
  return open;
}
