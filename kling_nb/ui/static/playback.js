import { correction, frameAt, frameCount, frameMiddle } from './frames.js';

/**
 * Play several videos in step. The longest one leads; the others stay within a fraction of a frame of it.
 * `changed` is called whenever the time or the state may have changed.
 * @param {Player[]} players with loaded metadata
 * @param {() => void} changed
 *
 * @typedef {{video: HTMLVideoElement, fps: number}} Player
 */
export function makePlayback(players, changed) {
  const leader = players.reduce((longest, player) => (player.video.duration > longest.video.duration + 1e-3 ? player : longest));
  const followers = players.filter((player) => player !== leader);
  const { fps } = leader;
  const length = leader.video.duration;
  const last = frameCount(length, fps) - 1;
  const state = { playing: false, rate: 1, loop: true };
  /** @type {number|null} */
  let wanted = null;
  /** @type {Promise<void>|null} */
  let seeking = null;
  let animation = 0;
  let turn = 0; // counts plays and pauses, so that an earlier play that is still waiting is abandoned

  const endOf = (/** @type {Player} */ player) => frameMiddle(frameCount(player.video.duration, player.fps) - 1, player.fps);
  const isOver = (/** @type {Player} */ player, /** @type {number} */ time) => time >= endOf(player);
  const settled = (/** @type {HTMLVideoElement} */ video) => new Promise((done) => {
    if (!video.seeking) done(undefined);
    else video.addEventListener('seeked', done, { once: true });
  });
  const ready = (/** @type {HTMLVideoElement} */ video) => new Promise((done) => {
    if (video.readyState >= 3) done(undefined);
    else video.addEventListener('canplay', done, { once: true });
  });

  /** Seek every video. While a seek is under way, only the latest further request is kept. @param {number} time */
  const seek = (time) => {
    wanted = Math.max(0, Math.min(time, endOf(leader)));
    seeking ??= (async () => {
      try {
        while (wanted != null) {
          const now = wanted;
          wanted = null;
          for (const player of players) player.video.currentTime = Math.min(now, endOf(player));
          await Promise.all(players.map((player) => settled(player.video)));
          changed();
        }
      } finally { seeking = null; }
    })();
    return seeking;
  };

  const tick = () => {
    if (!state.playing) return;
    const now = leader.video.currentTime;
    for (const player of followers) {
      if (isOver(player, now)) continue;
      const { jump, factor } = correction((player.video.currentTime - now) * fps);
      if (jump && !player.video.seeking) player.video.currentTime = now;
      const rate = Math.max(0.07, Math.min(8, state.rate * factor)); // browsers refuse rates outside this range
      if (player.video.playbackRate !== rate) player.video.playbackRate = rate;
      if (player.video.paused && !player.video.ended) player.video.play().catch(() => {});
    }
    changed();
    animation = requestAnimationFrame(tick);
  };

  const pause = async () => {
    turn += 1;
    state.playing = false;
    cancelAnimationFrame(animation);
    for (const player of players) player.video.pause();
    await seek(frameMiddle(Math.min(last, frameAt(leader.video.currentTime, fps)), fps)); // all on the same frame
    changed();
  };

  const play = async () => {
    const mine = ++turn;
    state.playing = true;
    changed();
    if (leader.video.currentTime >= endOf(leader) - 0.25 / fps) await seek(0);
    else await seek(leader.video.currentTime);
    await Promise.all(players.map((player) => ready(player.video)));
    if (mine !== turn) return;
    for (const player of players) player.video.playbackRate = state.rate;
    const running = players.filter((player) => !isOver(player, leader.video.currentTime));
    await Promise.all(running.map((player) => player.video.play().catch(() => {})));
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
      return seek(frameMiddle(Math.max(0, Math.min(last, from + count)), fps));
    },
    setRate(/** @type {number} */ rate) { state.rate = rate; for (const player of players) player.video.playbackRate = rate; changed(); },
    setLoop(/** @type {boolean} */ loop) { state.loop = loop; changed(); },
    close() { turn += 1; state.playing = false; cancelAnimationFrame(animation); leader.video.removeEventListener('ended', ended); for (const player of players) player.video.pause(); },
  };
}
