import { freshId } from './dom.js';

/** Hands a frame of a clip to the panel that is open; `hand` gives what came of it, in words. @param {Model} model */
export function frameHand(model) {
  /** @type {Map<string, (words: string) => void>} */
  const waiting = new Map();
  const heard = (/** @type {Heard|null} */ message) => {
    if (message?.kind !== 'handed') return;
    waiting.get(message.ask)?.(message.words);
    waiting.delete(message.ask);
  };
  model.on('msg:custom', heard);
  return {
    /** @param {string} id @param {number} frame @returns {Promise<string>} */
    hand: (id, frame) => new Promise((told) => {
      const ask = freshId();
      waiting.set(ask, told);
      model.send({ kind: 'hand', ask, id, frame });
    }),
    close: () => model.off('msg:custom', heard),
  };
}
