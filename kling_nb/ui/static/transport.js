import { correction, frameAt, framesIn, middleOf } from './frames.js';

/**
 * Plays several videos as one. The longest leads; the others are kept within a fraction of a frame of it.
 * `changed` is called whenever something that is shown may have changed.
 * @param {Player[]} players their metadata loaded
 * @param {() => void} changed
 *
 * @typedef {{video: HTMLVideoElement, fps: number}} Player
 */
export function makeTransport(players, changed) {
  const leader = players.reduce((best, one) => (one.video.duration > best.video.duration + 1e-3 ? one : best));
  const followers = players.filter((one) => one !== leader);
  const { fps } = leader;
  const length = leader.video.duration;
  const last = framesIn(length, fps) - 1;
  const state = { playing: false, rate: 1, loop: true };
  /** @type {number|null} */
  let wanted = null;
  /** @type {Promise<void>|null} */
  let seeking = null;
  let ticking = 0;
  let turn = 0;

  const endOf = (/** @type {Player} */ one) => middleOf(framesIn(one.video.duration, one.fps) - 1, one.fps);
  const isOver = (/** @type {Player} */ one, /** @type {number} */ time) => time >= endOf(one);
  const settled = (/** @type {HTMLVideoElement} */ video) => new Promise((done) => {
    if (!video.seeking) done(undefined);
    else video.addEventListener('seeked', done, { once: true });
  });
  const ready = (/** @type {HTMLVideoElement} */ video) => new Promise((done) => {
    if (video.readyState >= 3) done(undefined);
    else video.addEventListener('canplay', done, { once: true });
  });

  /** Put every video at a time; while one seek is under way only the newest of the others counts. @param {number} time */
  const seek = (time) => {
    wanted = Math.max(0, Math.min(time, endOf(leader)));
    seeking ??= (async () => {
      try {
        while (wanted != null) {
          const now = wanted;
          wanted = null;
          for (const one of players) one.video.currentTime = Math.min(now, endOf(one));
          await Promise.all(players.map((one) => settled(one.video)));
          changed();
        }
      } finally { seeking = null; }
    })();
    return seeking;
  };

  const tick = () => {
    if (!state.playing) return;
    const now = leader.video.currentTime;
    for (const one of followers) {
      if (isOver(one, now)) continue;
      const mine = (one.video.currentTime - now) * fps;
      const { jump, factor } = correction(mine);
      if (jump && !one.video.seeking) one.video.currentTime = now;
      const rate = Math.max(0.07, Math.min(8, state.rate * factor)); // a browser refuses less and more
      if (one.video.playbackRate !== rate) one.video.playbackRate = rate;
      if (one.video.paused && !one.video.ended) one.video.play().catch(() => {});
    }
    changed();
    ticking = requestAnimationFrame(tick);
  };

  const pause = async () => {
    turn += 1;
    state.playing = false;
    cancelAnimationFrame(ticking);
    for (const one of players) one.video.pause();
    await seek(middleOf(Math.min(last, frameAt(leader.video.currentTime, fps)), fps)); // all on the same frame
    changed();
  };

  const play = async () => {
    const mine = ++turn;
    state.playing = true;
    changed();
    if (leader.video.currentTime >= endOf(leader) - 0.25 / fps) await seek(0);
    else await seek(leader.video.currentTime);
    await Promise.all(players.map((one) => ready(one.video)));
    if (mine !== turn) return;
    for (const one of players) one.video.playbackRate = state.rate;
    const running = players.filter((one) => !isOver(one, leader.video.currentTime));
    await Promise.all(running.map((one) => one.video.play().catch(() => {})));
    if (mine === turn) tick();
  };

  const ended = () => { if (state.playing) { if (state.loop) { seek(0).then(play); } else pause(); } };
  leader.video.addEventListener('ended', ended);

  return {
    state, last, fps, length, play, pause, seek,
    toggle: () => (state.playing ? pause() : play()),
    time: () => (wanted ?? leader.video.currentTime),
    frame: () => Math.min(last, frameAt(leader.video.currentTime, fps)),
    async step(/** @type {number} */ count) {
      if (state.playing) await pause();
      const from = wanted == null ? frameAt(leader.video.currentTime, fps) : frameAt(wanted, fps);
      return seek(middleOf(Math.max(0, Math.min(last, from + count)), fps));
    },
    setRate(/** @type {number} */ rate) { state.rate = rate; for (const one of players) one.video.playbackRate = rate; changed(); },
    setLoop(/** @type {boolean} */ loop) { state.loop = loop; changed(); },
    close() { turn += 1; state.playing = false; cancelAnimationFrame(ticking); leader.video.removeEventListener('ended', ended); for (const one of players) one.video.pause(); },
  };
}
