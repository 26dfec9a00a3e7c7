/**
 * Stands in for the model of the gallery's widget. Messages go through a websocket, except those that `act` answers with
 * a text.
 * @param {{socket: WebSocket, act?: (message: any) => Promise<string>|undefined, fail: (reason: string) => void}} spec
 */
export function makeModel({ socket, act, fail }) {
  /** @type {Record<string, any>} */
  const traits = { filters: {}, choices: {}, comparison: {}, alert: {}, rows: [] };
  /** @type {Map<string, Set<(...args: any[]) => void>>} */
  const listeners = new Map();
  const emit = (/** @type {string} */ event, /** @type {any[]} */ ...args) => { for (const hear of [...(listeners.get(event) ?? [])]) hear(...args); };
  /** @type {{message: any, missing: number, buffers: DataView[]}|null} */
  let partial = null;
  /** @type {() => void} */
  let ready = () => {};
  const started = new Promise((resolve) => { ready = () => resolve(undefined); });
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => {
    if (typeof data !== 'string') {
      partial?.buffers.push(new DataView(data));
      if (partial && partial.buffers.length === partial.missing) { const { message, buffers } = partial; partial = null; emit('msg:custom', message, buffers); }
      return;
    }
    const news = JSON.parse(data);
    if (news.error) fail(news.error);
    else if (news.ready) ready();
    else if (news.trait) { traits[news.trait] = news.value; emit(`change:${news.trait}`); }
    else if (news.buffers) partial = { message: news.message, missing: news.buffers, buffers: [] };
    else emit('msg:custom', news.message, []);
  };
  return {
    started,
    emit,
    get: (/** @type {string} */ name) => traits[name],
    set: (/** @type {string} */ name, /** @type {any} */ value) => { traits[name] = value; },
    save_changes() {},
    send(/** @type {any} */ message) {
      const done = act?.(message);
      if (done) done.then((text) => emit('msg:custom', { kind: 'done', call: message.call, text }, []));
      else if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    on(/** @type {string} */ event, /** @type {(...args: any[]) => void} */ hear) { if (!listeners.has(event)) listeners.set(event, new Set()); listeners.get(event)?.add(hear); },
    off(/** @type {string} */ event, /** @type {(...args: any[]) => void} */ hear) { listeners.get(event)?.delete(hear); },
  };
}
