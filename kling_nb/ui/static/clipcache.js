import { newId } from './dom.js';

/**
 * Clips as blob URLs, fetched from Python once each; the least recently used are dropped.
 * @param {Model} model
 * @returns {{get: (id: string) => Promise<string>, close: () => void}}
 */
export function clipCache(model, size = 9) {
  /** @type {Map<string, {resolve: (url: string) => void, reject: (error: Error) => void}>} */
  const waiting = new Map();
  /** @type {Map<string, Promise<string>>} */
  const urls = new Map();
  /** @param {Incoming|null} message @param {DataView<ArrayBuffer>[]} buffers */
  const onMessage = (message, buffers) => {
    if (message?.kind !== 'clip') return;
    const call = waiting.get(message.call);
    if (!call) return;
    waiting.delete(message.call);
    if (message.reason) call.reject(new Error(message.reason));
    else call.resolve(URL.createObjectURL(new Blob(buffers, { type: 'video/mp4' })));
  };
  model.on('msg:custom', onMessage);
  const drop = (/** @type {string} */ id) => { const url = urls.get(id); urls.delete(id); url?.then((it) => URL.revokeObjectURL(it), () => {}); };
  return {
    get(id) {
      const url = urls.get(id) ?? new Promise((resolve, reject) => {
        const call = newId();
        waiting.set(call, { resolve, reject });
        model.send({ kind: 'clip', id, call });
      });
      urls.delete(id);
      urls.set(id, url); // the newest is last
      url.catch(() => urls.delete(id));
      const [oldest] = urls.keys();
      if (urls.size > size) drop(oldest);
      return url;
    },
    close() { model.off('msg:custom', onMessage); for (const id of [...urls.keys()]) drop(id); },
  };
}
