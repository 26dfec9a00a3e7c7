import { freshId } from './dom.js';

/** Hands a frame of a clip, or the whole request, to the panel that is open, and gives what came of it, in words. @param {Model} model */
export function handover(model) {
  /** @type {Map<string, (words: string) => void>} */
  const waiting = new Map();
  const heard = (/** @type {Heard|null} */ message) => {
    if (message?.kind !== 'done') return;
    waiting.get(message.call)?.(message.text);
    waiting.delete(message.call);
  };
  model.on('msg:custom', heard);
  /** @param {(call: string) => Said} message @returns {Promise<string>} */
  const asking = (message) => new Promise((told) => {
    const call = freshId();
    waiting.set(call, told);
    model.send(message(call));
  });
  return {
    /** @type {Hand} */
    hand: (id, frame) => asking((call) => ({ kind: 'use_frame', call, id, frame })),
    /** @param {string} id */
    open: (id) => asking((call) => ({ kind: 'open', call, id })),
    close: () => model.off('msg:custom', heard),
  };
}
