/**
 * The frame that is shown at a time. @param {number} time seconds @param {number} fps @returns {number} from 0
 */
export function frameAt(time, fps) {
  return Math.max(0, Math.floor(time * fps + 1e-3));
}

/** The middle of a frame's moment: a seek there cannot land on its neighbour. @param {number} frame @param {number} fps @returns {number} seconds */
export function middleOf(frame, fps) {
  return (frame + 0.5) / fps;
}

/** How many frames a clip of so many seconds has. @param {number} seconds @param {number} fps */
export function framesIn(seconds, fps) {
  return Math.max(1, Math.round(seconds * fps));
}

/** `0:02.5`: minutes, seconds, tenths. @param {number} seconds @returns {string} */
export function tenthsWords(seconds) {
  const tenths = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  const [minutes, rest] = [Math.floor(tenths / 600), tenths % 600];
  return `${minutes}:${String(Math.floor(rest / 10)).padStart(2, '0')}.${rest % 10}`;
}

/**
 * How a player that has drifted gets back: not at all, by playing faster or slower for a moment, or by a jump, which
 * takes longer than the few frames that players are apart after a start.
 * @param {number} drift frames ahead of the leader (negative: behind)
 * @returns {{jump: boolean, factor: number}} factor of the speed
 */
export function correction(drift) {
  if (Math.abs(drift) > 12) return { jump: true, factor: 1 };
  if (Math.abs(drift) < 0.12) return { jump: false, factor: 1 };
  return { jump: false, factor: 1 - Math.max(-2, Math.min(0.9, drift * 0.6)) };
}
