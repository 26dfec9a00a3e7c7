import { resolved } from './cells.js';
import { button, h } from './dom.js';
import { shared } from './shared.js';

const PATIENCE = 4000; // ms
const TYPE = 'application/vnd.kling_nb.jobs+json';

/**
 * The renderer of a cell that waits for jobs: it shows the note for a notebook without a kernel, and replaces it with
 * the clips as soon as the log has them.
 * @param {(name: string) => Promise<any>} take
 */
export async function plugins(take) {
  const [rendermime, widgets] = await Promise.all([take('@jupyterlab/rendermime'), take('@lumino/widgets')]);
  if (!rendermime || !widgets) return [];

  class Waiting extends widgets.Panel {
    /** @param {any} options */
    constructor(options) {
      super();
      this.options = options;
      this.addClass('knl-waiting');
    }

    /** @param {any} model */
    async renderModel(model) {
      const note = rendermime.htmlRendererFactory.createRenderer({ ...this.options, mimeType: 'text/html' });
      this.addWidget(note);
      await note.renderModel(model);
      this.follow(model.data[TYPE] ?? {}, note);
    }

    /** @param {{log?: unknown, jobs?: unknown}} data @param {any} note */
    async follow(data, note) {
      const { server, state, cells } = await shared;
      const ids = Array.isArray(data.jobs) ? data.jobs.filter((id) => typeof id === 'string') : [];
      const path = String(this.options.resolver?.path ?? '').replace(/^[^/]*:/, '');
      const log = typeof data.log === 'string' && data.log ? resolved(path, data.log) ?? '' : '';
      /** @type {Map<string, Clip>} */
      const ended = new Map();
      // `kling-gone`: a live widget in this cell hides it, like the note.
      const clips = new widgets.Widget({ node: h('div', { class: 'knl kling-gone knl-came' }) });
      this.addWidget(clips);
      const look = async () => {
        for (const id of ids.filter((each) => !ended.has(each))) {
          const clip = await server.ask('record', { id, log }).catch(() => log && server.ask('record', { id }).catch(() => null));
          if (clip?.ended) { ended.set(id, clip); clips.node.append(endOf(clip, server, cells)); }
        }
        const all = ids.length > 0 && ended.size === ids.length;
        note.setHidden(all);
        // A running kernel shows the cards here itself. If it has not, the rows that the page still shows are dead.
        if (all) setTimeout(() => { if (!this.isDisposed) { clips.removeClass('kling-gone'); this.addClass('knl-final'); } }, PATIENCE);
      };
      await look();
      if (ended.size < ids.length) state.onEnd((clip) => { if (ids.includes(clip.id) && !this.isDisposed) look(); });
    }
  }
  const rendererFactory = { safe: true, mimeTypes: [TYPE], defaultRank: 40, createRenderer: (/** @type {any} */ options) => new Waiting(options) };
  return [{ id: 'kling_nb:waiting', rendererFactory, rank: 40, dataType: 'json' }];
}

/** How a job ended, for a cell whose kernel did not see it. @param {Clip} clip @param {Server} server @param {Cells} cells */
function endOf(clip, server, cells) {
  const poster = server.media(clip.poster, clip.log);
  const screen = clip.image
    ? h('img', { class: 'knl-video', alt: '', src: server.media(clip.media, clip.log) })
    : clip.media && h('video', { class: 'knl-video', controls: true, preload: 'none', playsinline: true, poster, src: server.media(clip.media, clip.log), style: `aspect-ratio:${clip.shape}` });
  const line = [clip.status_text, clip.length, clip.badge, clip.price].filter(Boolean).join(' · ');
  return h('div', { class: 'knl-end', 'data-record': clip.id, 'data-status': clip.status }, screen,
    h('div', { class: 'knl-end-text' }, h('div', {}, clip.prompt), h('div', { class: 'knl-soft' }, line), clip.reason && h('div', {}, clip.reason),
      clip.media && h('div', { class: 'knl-soft' }, 'It arrived after the kernel of this cell had ended.'),
      clip.media && button('card', 'Show its card', () => cells.show(clip))));
}
