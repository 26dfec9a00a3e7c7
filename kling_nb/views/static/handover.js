import { freshId } from './dom.js';

/** Hands a frame of a clip to the panel that is open; `hand` gives what came of it, in words. */
export function frameHand(model) {
  const waiting = new Map();
  const heard = (message) => {
    if (message?.kind !== 'handed') return;
    waiting.get(message.ask)?.(message.words);
    waiting.delete(message.ask);
  };
  model.on('msg:custom', heard);
  return {
    hand: (id, frame) => new Promise((told) => {
      const ask = freshId();
      waiting.set(ask, told);
      model.send({ kind: 'hand', ask, id, frame });
    }),
    close: () => model.off('msg:custom', heard),
  };
}
