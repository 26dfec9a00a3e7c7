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

/** @template T @param {T[]} list @param {number} from @param {number} to @returns {T[]} a copy with one item elsewhere */
export function movedItem(list, from, to) {
  const copy = list.slice();
  const [item] = copy.splice(from, 1);
  copy.splice(Math.max(0, Math.min(copy.length, to)), 0, item);
  return copy;
}

/**
 * Where a shot belongs that is dragged so that it begins at a second: past every other whose middle it has passed.
 * @param {{duration: number}[]} shots @param {number} from its index now @param {number} start @returns {number} its index then
 */
export function placeAt(shots, from, start) {
  const others = shots.filter((_, i) => i !== from);
  return others.filter((shot, i) => totalSeconds(others.slice(0, i)) + shot.duration / 2 < start).length;
}

/** How long a new shot is: what is left of 15 s, between 1 and 5. @param {{duration: number}[]} shots */
export function nextDuration(shots) {
  return Math.max(1, Math.min(5, MOST_SECONDS - totalSeconds(shots)));
}

/**
 * Where a boundary stands, in seconds from the start, and how far it can go: between two shots it gives seconds of one
 * to the other; at the end of the last it makes the whole longer or shorter.
 * @param {{duration: number}[]} shots @param {number} index of the shot that ends there
 * @returns {{now: number, least: number, most: number}}
 */
export function boundaryAt(shots, index) {
  const start = totalSeconds(shots.slice(0, index));
  const now = start + (Number(shots[index].duration) || 0);
  const next = shots[index + 1];
  const most = next ? now + (Number(next.duration) || 0) - 1 : Math.max(now, MOST_SECONDS);
  return { now, least: Math.min(now, start + 1), most: Math.max(now, most) };
}

/**
 * The shots with a boundary at another whole second, as near as it can go.
 * @template {{duration: number}} T
 * @param {T[]} shots @param {number} index @param {number} second @returns {T[]}
 */
export function boundaryMoved(shots, index, second) {
  const { now, least, most } = boundaryAt(shots, index);
  const by = Math.round(Math.min(most, Math.max(least, second))) - now;
  if (!by) return shots;
  return shots.map((shot, i) => {
    if (i === index) return { ...shot, duration: shot.duration + by };
    return i === index + 1 ? { ...shot, duration: shot.duration - by } : shot;
  });
}

/**
 * A shot as two of the same words, which last as long together; the list itself when it is one second.
 * @template {Shot} T
 * @param {T[]} shots @param {number} index @param {string} id of the second @returns {T[]}
 */
export function splitShot(shots, index, id) {
  const shot = shots[index];
  const first = Math.ceil(shot.duration / 2);
  if (shot.duration < 2) return shots;
  return [...shots.slice(0, index), { ...shot, duration: first }, { ...shot, duration: shot.duration - first, id }, ...shots.slice(index + 1)];
}
