import { h, keyedList } from './dom.js';
import { MOST_SECONDS, barBlocks, boundaryAt, boundaryMoved, totalFault, totalSeconds } from './timing.js';

/** @type {Record<string, number>} */
const KEY_STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5, Home: -MOST_SECONDS, End: MOST_SECONDS };

/**
 * The shots as blocks on a bar of 15 s. The boundary after each can be dragged, or moved with the arrow keys, by whole
 * seconds. `put` takes the changed shots and the name of the step; `open` goes to a shot.
 * @param {{shots: () => Shot[], put: (shots: Shot[], what: string) => void, open: (index: number) => void}} spec
 */
export function timeline({ shots, put, open }) {
  const total = h('output', { class: 'kn-total' });
  const blocks = h('div', { class: 'kn-blocks' });
  const edges = h('div', { class: 'kn-edges' });
  const track = h('div', { class: 'kn-track', role: 'group' }, blocks, edges);
  const el = h('div', { class: 'kn-bar' }, track, total);
  const moveTo = (/** @type {number} */ index, /** @type {number} */ second) => {
    const moved = boundaryMoved(shots(), index, second);
    if (moved !== shots()) put(moved, `boundary.${index}`);
  };

  const makeBlock = (/** @type {Shot} */ _, /** @type {number} */ index) => {
    const number = h('b', { text: String(index + 1) });
    const seconds = h('span', {});
    const block = h('button', { type: 'button', tabindex: -1, class: 'kn-block', on: { click: () => open(index) } }, number, seconds);
    return { el: block, paint: (/** @type {Shot} */ shot) => {
      const { left, width, over } = barBlocks(shots())[index];
      block.style.left = `${left}%`;
      block.style.width = `${width}%`;
      block.classList.toggle('kn-over-time', over);
      block.title = `Shot ${index + 1} · ${shot.duration} s`;
      seconds.textContent = `${shot.duration} s`;
    } };
  };

  const makeEdge = (/** @type {Shot} */ _, /** @type {number} */ index) => {
    const edge = h('div', { class: 'kn-edge', role: 'separator', tabindex: 0, 'aria-orientation': 'vertical', 'aria-label': `End of shot ${index + 1}` });
    const secondAt = (/** @type {number} */ x) => {
      const { left, width } = track.getBoundingClientRect();
      return ((x - left) / width) * Math.max(MOST_SECONDS, totalSeconds(shots()));
    };
    edge.addEventListener('pointerdown', (event) => {
      if (event.button) return;
      event.preventDefault();
      edge.focus();
      edge.setPointerCapture(event.pointerId);
      track.classList.add('kn-dragging');
    });
    edge.addEventListener('pointermove', (event) => { if (edge.hasPointerCapture(event.pointerId)) moveTo(index, secondAt(event.clientX)); });
    edge.addEventListener('lostpointercapture', () => track.classList.remove('kn-dragging'));
    edge.addEventListener('keydown', (event) => {
      const step = KEY_STEPS[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      moveTo(index, boundaryAt(shots(), index).now + step);
    });
    return { el: edge, paint: () => {
      const all = shots();
      const { now, least, most } = boundaryAt(all, index);
      const { left, width } = barBlocks(all)[index];
      const next = all[index + 1];
      edge.style.left = `${left + width}%`;
      edge.setAttribute('aria-valuemin', String(least));
      edge.setAttribute('aria-valuemax', String(most));
      edge.setAttribute('aria-valuenow', String(now));
      edge.setAttribute('aria-valuetext', `Shot ${index + 1} lasts ${all[index].duration} s${next ? `, shot ${index + 2} ${next.duration} s` : `, ${now} s in all`}`);
      edge.title = 'Drag, or use the arrow keys';
    } };
  };

  const paintBlocks = keyedList(blocks, makeBlock, (_, index) => index);
  const paintEdges = keyedList(edges, makeEdge, (_, index) => index);
  return { el, paint: (/** @type {Shot[]} */ list) => {
    paintBlocks(list);
    paintEdges(list);
    const sum = totalSeconds(list);
    track.setAttribute('aria-label', `${list.length} shots, ${sum} of ${MOST_SECONDS} seconds`);
    total.textContent = `${sum} / ${MOST_SECONDS} s`;
    total.dataset.level = totalFault(sum) ? 'error' : '';
  } };
}
