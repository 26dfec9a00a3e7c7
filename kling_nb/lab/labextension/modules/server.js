const FIRST_PAUSE = 1000; // ms before a lost connection is opened again; doubled each time
const LONGEST_PAUSE = 30_000;

/**
 * A client of the server half: requests, notifications of changes, and the addresses of media.
 * @param {any} services `@jupyterlab/services`
 * @returns {Server}
 */
export function makeServer(services) {
  const { ServerConnection } = services;
  const settings = ServerConnection.makeSettings();
  const base = `${settings.baseUrl}kling_nb/api/`;
  /** @param {string} path @param {Record<string, string>} query */
  const address = (path, query = {}) => {
    const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
    return base + path + (words && `?${words}`);
  };
  /** @param {string} path @param {Record<string, string>} query @param {RequestInit} [init] */
  const request = async (path, query, init = {}) => {
    const response = await ServerConnection.makeRequest(address(path, query), init, settings);
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw Object.assign(new Error(answer.message || response.statusText), { status: response.status });
    return answer;
  };
  /** @param {string} path @param {Record<string, string>} query */
  const socket = (path, query = {}) => {
    const url = address(path, { ...query, token: settings.token }).replace(/^http/, 'ws');
    return new WebSocket(url);
  };
  return {
    ask: (path, query = {}) => request(path, query),
    post: (path, body) => request(path, {}, { method: 'POST', body: JSON.stringify(body) }),
    media: (digest, log) => (digest ? address(`media/${digest}`, { log, token: settings.appendToken ? settings.token : '' }) : ''),
    socket,
    listen(hear) {
      let pause = FIRST_PAUSE;
      let closed = false;
      /** @type {WebSocket|undefined} */
      let open;
      const connect = () => {
        open = socket('news');
        open.onmessage = ({ data }) => { pause = FIRST_PAUSE; hear(JSON.parse(data)); };
        open.onclose = () => { if (!closed) { setTimeout(connect, pause); pause = Math.min(2 * pause, LONGEST_PAUSE); } };
      };
      connect();
      return () => { closed = true; open?.close(); };
    },
  };
}
