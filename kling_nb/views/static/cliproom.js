import { freshId } from './dom.js';

/**
 * Brings clips from Python as blob URLs, each once, and lets the oldest go.
 * @returns {{get: (id: string) => Promise<string>, close: () => void}}
 */
export function clipRoom(model, most = 9) {
  const waiting = new Map();
  const known = new Map();
  const heard = (message, buffers) => {
    const mine = message?.kind === 'clip' ? waiting.get(message.ask) : null;
    if (!mine) return;
    waiting.delete(message.ask);
    if (message.why) mine.reject(new Error(message.why));
    else mine.resolve(URL.createObjectURL(new Blob(buffers, { type: 'video/mp4' })));
  };
  model.on('msg:custom', heard);
  const drop = (id) => { const url = known.get(id); known.delete(id); url?.then((it) => URL.revokeObjectURL(it), () => {}); };
  return {
    get(id) {
      const url = known.get(id) ?? new Promise((resolve, reject) => {
        const ask = freshId();
        waiting.set(ask, { resolve, reject });
        model.send({ kind: 'clip', id, ask });
      });
      known.delete(id);
      known.set(id, url); // the newest stands last
      url.catch(() => known.delete(id));
      if (known.size > most) drop(known.keys().next().value);
      return url;
    },
    close() { model.off('msg:custom', heard); for (const id of [...known.keys()]) drop(id); },
  };
}
