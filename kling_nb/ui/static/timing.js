export const MAX_SECONDS = 15;
export const MIN_SECONDS = 3;
export const MAX_SHOTS = 6;

/** @param {{duration: number}[]} shots @returns {number} */
export function totalSeconds(shots) {
  return shots.reduce((sum, shot) => sum + (Number(shot.duration) || 0), 0);
}

/**
 * The blocks of the timeline, in percent of its width. It shows 15 s, or more if the shots are longer.
 * @param {{duration: number}[]} shots
 * @returns {{left: number, width: number, over: boolean}[]}
 */
export function barBlocks(shots) {
  const scale = 100 / Math.max(MAX_SECONDS, totalSeconds(shots));
  let at = 0;
  return shots.map((shot) => {
    const length = Number(shot.duration) || 0;
    const block = { left: at * scale, width: length * scale, over: at + length > MAX_SECONDS };
    at += length;
    return block;
  });
}

/** @param {number} total @returns {'' | 'short' | 'long'} */
export function totalError(total) {
  if (total < MIN_SECONDS) return 'short';
  return total > MAX_SECONDS ? 'long' : '';
}

/** Return a copy of a list with one item moved. @template T @param {T[]} list @param {number} from @param {number} to @returns {T[]} */
export function moveItem(list, from, to) {
  const copy = list.slice();
  const [item] = copy.splice(from, 1);
  copy.splice(Math.max(0, Math.min(copy.length, to)), 0, item);
  return copy;
}

/**
 * The new index of a dragged shot: it moves past every shot whose middle its start has passed.
 * @param {{duration: number}[]} shots @param {number} from its index @param {number} start seconds @returns {number}
 */
export function dropIndex(shots, from, start) {
  const others = shots.filter((_, i) => i !== from);
  return others.filter((shot, i) => totalSeconds(others.slice(0, i)) + shot.duration / 2 < start).length;
}

/** The duration of a new shot: the rest of 15 s, between 1 and 5 s. @param {{duration: number}[]} shots */
export function nextDuration(shots) {
  return Math.max(1, Math.min(5, MAX_SECONDS - totalSeconds(shots)));
}

/**
 * The time of the boundary after a shot, and its range, in seconds. Between two shots it moves time from one to the
 * other; at the end of the last it changes the total.
 * @param {{duration: number}[]} shots @param {number} index of the shot that ends there
 * @returns {{now: number, min: number, max: number}}
 */
export function boundaryAt(shots, index) {
  const start = totalSeconds(shots.slice(0, index));
  const now = start + (Number(shots[index].duration) || 0);
  const next = shots[index + 1];
  const max = next ? now + (Number(next.duration) || 0) - 1 : Math.max(now, MAX_SECONDS);
  return { now, min: Math.min(now, start + 1), max: Math.max(now, max) };
}

/**
 * The shots with a boundary moved to a whole second, within its range.
 * @template {{duration: number}} T
 * @param {T[]} shots @param {number} index @param {number} second @returns {T[]}
 */
export function moveBoundary(shots, index, second) {
  const { now, min, max } = boundaryAt(shots, index);
  const by = Math.round(Math.min(max, Math.max(min, second))) - now;
  if (!by) return shots;
  return shots.map((shot, i) => {
    if (i === index) return { ...shot, duration: shot.duration + by };
    return i === index + 1 ? { ...shot, duration: shot.duration - by } : shot;
  });
}

/**
 * Split a shot into two with the same prompt and the same total; a shot of one second is not split.
 * @template {Shot} T
 * @param {T[]} shots @param {number} index @param {string} id of the second @returns {T[]}
 */
export function splitShot(shots, index, id) {
  const shot = shots[index];
  const first = Math.ceil(shot.duration / 2);
  if (shot.duration < 2) return shots;
  return [...shots.slice(0, index), { ...shot, duration: first }, { ...shot, duration: shot.duration - first, id }, ...shots.slice(index + 1)];
}
