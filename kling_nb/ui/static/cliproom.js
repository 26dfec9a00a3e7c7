import { freshId } from './dom.js';

/**
 * Brings clips from Python as blob URLs, each once, and lets the oldest go.
 * @param {Model} model
 * @returns {{get: (id: string) => Promise<string>, close: () => void}}
 */
export function clipRoom(model, most = 9) {
  /** @type {Map<string, {resolve: (url: string) => void, reject: (why: Error) => void}>} */
  const waiting = new Map();
  /** @type {Map<string, Promise<string>>} */
  const known = new Map();
  /** @param {Heard|null} message @param {DataView<ArrayBuffer>[]} buffers */
  const heard = (message, buffers) => {
    if (message?.kind !== 'clip') return;
    const mine = waiting.get(message.call);
    if (!mine) return;
    waiting.delete(message.call);
    if (message.reason) mine.reject(new Error(message.reason));
    else mine.resolve(URL.createObjectURL(new Blob(buffers, { type: 'video/mp4' })));
  };
  model.on('msg:custom', heard);
  const drop = (/** @type {string} */ id) => { const url = known.get(id); known.delete(id); url?.then((it) => URL.revokeObjectURL(it), () => {}); };
  return {
    get(id) {
      const url = known.get(id) ?? new Promise((resolve, reject) => {
        const call = freshId();
        waiting.set(call, { resolve, reject });
        model.send({ kind: 'clip', id, call });
      });
      known.delete(id);
      known.set(id, url); // the newest stands last
      url.catch(() => known.delete(id));
      const [oldest] = known.keys();
      if (known.size > most) drop(oldest);
      return url;
    },
    close() { model.off('msg:custom', heard); for (const id of [...known.keys()]) drop(id); },
  };
}
