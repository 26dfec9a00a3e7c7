import { freshId } from './dom.js';

/** Hands a frame of a clip, or the whole request, to the panel that is open, and gives what came of it, in words. @param {Model} model */
export function handover(model) {
  /** @type {Map<string, (words: string) => void>} */
  const waiting = new Map();
  const heard = (/** @type {Heard|null} */ message) => {
    if (message?.kind !== 'handed') return;
    waiting.get(message.ask)?.(message.words);
    waiting.delete(message.ask);
  };
  model.on('msg:custom', heard);
  /** @param {(ask: string) => Said} message @returns {Promise<string>} */
  const asking = (message) => new Promise((told) => {
    const ask = freshId();
    waiting.set(ask, told);
    model.send(message(ask));
  });
  return {
    /** @type {Hand} */
    hand: (id, frame) => asking((ask) => ({ kind: 'hand', ask, id, frame })),
    /** @param {string} id */
    open: (id) => asking((ask) => ({ kind: 'open', ask, id })),
    close: () => model.off('msg:custom', heard),
  };
}
