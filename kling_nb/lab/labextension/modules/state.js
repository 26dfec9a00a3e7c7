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
  /** @type {Map<string, string>} the address of each team's log, by the name of its cache */
  let addresses = new Map();
  let version = '';
  let close = () => {};
  const changed = () => { for (const listener of listeners) listener(); };
  return {
    get logs() { return logs; },
    same: (a, b) => a === b || (addresses.get(a) ?? a) === addresses.get(b),
    get version() { return version; },
    get jobs() { return logs.flatMap((log) => log.jobs); },
    get clips() { return logs.flatMap((log) => log.clips).sort((a, b) => b.created - a.created); },
    get today() { return logs.reduce((sum, log) => sum + Number(log.today), 0); },
    onChange(listener) { listeners.add(listener); },
    onEnd(listener) { enders.add(listener); },
    start() {
      close = server.listen((news) => {
        if (news.kind === 'about') version = news.version;
        if (news.kind === 'logs') {
          addresses = new Map(news.logs.filter((log) => log.team).map((log) => [log.name, log.address]));
          logs = withoutCopies(news.logs);
        }
        if (news.kind === 'ended') { for (const listener of enders) listener(news.record); return; }
        changed();
      });
    },
    stop() { close(); },
  };
}

/** Two caches of one team's log show the same: the first that can be read stands for all. @param {LogOverview[]} logs */
export function withoutCopies(logs) {
  const first = (/** @type {LogOverview} */ log) => logs.find((each) => each.team && !each.error && each.address === log.address);
  return logs.filter((log) => !log.team || log.error || log === first(log));
}
