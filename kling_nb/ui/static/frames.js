/** The number of the frame at a time, from 0. @param {number} time seconds @param {number} fps @returns {number} */
export function frameAt(time, fps) {
  return Math.max(0, Math.floor(time * fps + 1e-3));
}

/** The time in the middle of a frame: a seek there cannot land on its neighbour. @param {number} frame @param {number} fps @returns {number} seconds */
export function frameMiddle(frame, fps) {
  return (frame + 0.5) / fps;
}

/** The number of frames in a clip. @param {number} seconds @param {number} fps */
export function frameCount(seconds, fps) {
  return Math.max(1, Math.round(seconds * fps));
}

/** `0:02.5`: minutes, seconds, tenths. @param {number} seconds @returns {string} */
export function tenthsText(seconds) {
  const tenths = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  const [minutes, rest] = [Math.floor(tenths / 600), tenths % 600];
  return `${minutes}:${String(Math.floor(rest / 10)).padStart(2, '0')}.${rest % 10}`;
}

/**
 * How a video that has drifted catches up: by playing faster or slower for a moment, or by a seek if it is far off,
 * since a seek takes longer than the few frames that videos are apart after a start.
 * @param {number} drift frames ahead of the leader (negative: behind)
 * @returns {{jump: boolean, factor: number}} `factor` of the playback rate
 */
export function correction(drift) {
  if (Math.abs(drift) > 12) return { jump: true, factor: 1 };
  if (Math.abs(drift) < 0.12) return { jump: false, factor: 1 };
  return { jump: false, factor: 1 - Math.max(-2, Math.min(0.9, drift * 0.6)) };
}
