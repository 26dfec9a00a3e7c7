/**
 * The contents of this server's logs, as last reported by the server.
 * @param {Server} server
 * @returns {State}
 */
export function makeState(server) {
  /** @type {Set<() => void>} */
  const listeners = new Set();
  /** @type {Set<(clip: Clip) => void>} */
  const enders = new Set();
  /** @type {LogOverview[]} */
  let logs = [];
  let version = '';
  let close = () => {};
  const changed = () => { for (const listener of listeners) listener(); };
  return {
    get logs() { return logs; },
    get version() { return version; },
    get jobs() { return logs.flatMap((log) => log.jobs); },
    get clips() { return logs.flatMap((log) => log.clips).sort((a, b) => b.created - a.created); },
    get today() { return logs.reduce((sum, log) => sum + Number(log.today), 0); },
    onChange(listener) { listeners.add(listener); },
    onEnd(listener) { enders.add(listener); },
    start() {
      close = server.listen((news) => {
        if (news.kind === 'about') version = news.version;
        if (news.kind === 'logs') logs = news.logs;
        if (news.kind === 'ended') { for (const listener of enders) listener(news.record); return; }
        changed();
      });
    },
    stop() { close(); },
  };
}
