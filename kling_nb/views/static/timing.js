export const MOST_SECONDS = 15;
export const LEAST_SECONDS = 3;
export const MOST_SHOTS = 6;

/** @param {{duration: number}[]} shots @returns {number} */
export function totalSeconds(shots) {
  return shots.reduce((sum, shot) => sum + (Number(shot.duration) || 0), 0);
}

/**
 * The blocks of the time bar, in percent of its width; the bar is 15 s, or longer when the shots are.
 * @param {{duration: number}[]} shots
 * @returns {{left: number, width: number, over: boolean}[]}
 */
export function barBlocks(shots) {
  const scale = 100 / Math.max(MOST_SECONDS, totalSeconds(shots));
  let at = 0;
  return shots.map((shot) => {
    const length = Number(shot.duration) || 0;
    const block = { left: at * scale, width: length * scale, over: at + length > MOST_SECONDS };
    at += length;
    return block;
  });
}

/** @param {number} total @returns {'' | 'short' | 'long'} */
export function totalFault(total) {
  if (total < LEAST_SECONDS) return 'short';
  return total > MOST_SECONDS ? 'long' : '';
}

/** @param {any[]} list @returns {any[]} a copy with one item elsewhere */
export function movedItem(list, from, to) {
  const copy = list.slice();
  const [item] = copy.splice(from, 1);
  copy.splice(Math.max(0, Math.min(copy.length, to)), 0, item);
  return copy;
}

/** How long a new shot is: what is left of 15 s, between 1 and 5. */
export function nextDuration(shots) {
  return Math.max(1, Math.min(5, MOST_SECONDS - totalSeconds(shots)));
}
