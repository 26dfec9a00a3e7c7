import { newId } from './dom.js';

/** Send a frame of a clip, or a whole request, to the open panel; each call gives the result as text. @param {Model} model */
export function panelLink(model) {
  /** @type {Map<string, (text: string) => void>} */
  const waiting = new Map();
  const onMessage = (/** @type {Incoming|null} */ message) => {
    if (message?.kind !== 'done') return;
    waiting.get(message.call)?.(message.text);
    waiting.delete(message.call);
  };
  model.on('msg:custom', onMessage);
  /** @param {(call: string) => Outgoing} message @returns {Promise<string>} */
  const ask = (message) => new Promise((resolve) => {
    const call = newId();
    waiting.set(call, resolve);
    model.send(message(call));
  });
  return {
    /** @type {UseFrame} */
    useFrame: (id, frame) => ask((call) => ({ kind: 'use_frame', call, id, frame })),
    /** @param {string} id */
    open: (id) => ask((call) => ({ kind: 'open', call, id })),
    close: () => model.off('msg:custom', onMessage),
  };
}
