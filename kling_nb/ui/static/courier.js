import { freshId } from './dom.js';

const PIECE = 1024 * 1024;

/**
 * Brings pictures to Python: files in pieces of 1 MiB, each sent when the one before was received; addresses as text.
 * Both give the key of the picture, or throw with the reason.
 * @param {Model} model @returns {Courier}
 */
export function makeCourier(model) {
  /** @type {Map<string, (reply: Answer) => void>} */
  const waiting = new Map();
  const heard = (/** @type {Heard|null} */ message) => { if (message && 'id' in message) waiting.get(message.id)?.(/** @type {Answer} */ (message)); };
  model.on('msg:custom', heard);

  /** @param {string} id @param {() => void} send @returns {Promise<Answer>} */
  const answer = (id, send) => new Promise((resolve) => { waiting.set(id, resolve); send(); });

  return {
    async file(file, progress, media = 'image') {
      const id = freshId();
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
      const id = freshId();
      const reply = await answer(id, () => model.send({ ...content, kind, id }));
      waiting.delete(id);
      if (reply.kind === 'refused') throw new Error(reply.reason);
      return reply;
    },
    async place(place, media = 'image') {
      return (await this.ask('fetch', { source: place, media })).key;
    },
    close() { model.off('msg:custom', heard); waiting.clear(); },
  };
}
