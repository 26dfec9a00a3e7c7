import { newId } from './dom.js';

const PIECE = 1024 * 1024;

/**
 * Questions to Python that wait for an answer. Files are sent in pieces of 1 MiB, each after the one before was
 * received; URLs and paths are sent as text. Both give a key. Every method throws an Error with the reason of a refusal.
 * @param {Model} model @returns {Kernel}
 */
export function makeKernel(model) {
  /** @type {Map<string, (reply: Answer) => void>} */
  const waiting = new Map();
  const onMessage = (/** @type {Incoming|null} */ message) => { if (message && 'id' in message) waiting.get(message.id)?.(/** @type {Answer} */ (message)); };
  model.on('msg:custom', onMessage);

  /** @param {string} id @param {() => void} send @returns {Promise<Answer>} */
  const answer = (id, send) => new Promise((resolve) => { waiting.set(id, resolve); send(); });

  return {
    async upload(file, progress, media = 'image') {
      const id = newId();
      const pieces = Math.max(1, Math.ceil(file.size / PIECE));
      try {
        for (let piece = 0; piece < pieces; piece += 1) {
          const bytes = await file.slice(piece * PIECE, (piece + 1) * PIECE).arrayBuffer();
          const name = file.name || 'pasted.png';
          const reply = await answer(id, () => model.send({ kind: 'piece', id, name, size: file.size, piece, media }, undefined, [new Uint8Array(bytes)]));
          if (reply.kind === 'refused') throw new Error(reply.reason);
          if (reply.kind === 'stored') return reply.key;
          progress((piece + 1) / pieces);
        }
        throw new Error('The upload was interrupted. Add the file again.');
      } finally {
        waiting.delete(id);
      }
    },
    async ask(kind, content) {
      const id = newId();
      const reply = await answer(id, () => model.send({ ...content, kind, id }));
      waiting.delete(id);
      if (reply.kind === 'refused') throw new Error(reply.reason);
      return reply;
    },
    async fetch(location, media = 'image') {
      return (await this.ask('fetch', { source: location, media })).key;
    },
    close() { model.off('msg:custom', onMessage); waiting.clear(); },
  };
}
