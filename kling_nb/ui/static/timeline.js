import { h, keyedList } from './dom.js';
import { MAX_SECONDS, barBlocks, boundaryAt, moveBoundary, moveItem, dropIndex, totalError, totalSeconds } from './timing.js';

/** @type {Record<string, number>} */
const KEY_STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5, Home: -MAX_SECONDS, End: MAX_SECONDS };
const SLACK = 4; // px that the pointer may move before a click becomes a drag

/**
 * The shots as blocks on a bar of 15 s. A block can be dragged or moved with Alt and an arrow key; the boundary after
 * each can be dragged or moved with the arrow keys, by whole seconds. `put` receives the changed shots and the name of
 * the undo step, `move` a change of the order; `open` goes to a shot.
 * @param {{shots: () => Shot[], put: (shots: Shot[], name: string) => void, move: (from: number, to: number) => void, open: (index: number) => void}} spec
 */
export function timeline({ shots, put, move, open }) {
  const total = h('output', { class: 'kn-total' });
  const blocks = h('div', { class: 'kn-blocks' });
  const edges = h('div', { class: 'kn-edges' });
  const track = h('div', { class: 'kn-track', role: 'group' }, blocks, edges);
  const el = h('div', { class: 'kn-bar' }, track, total);
  let current = 0;

  const moveEdge = (/** @type {number} */ index, /** @type {number} */ second) => {
    const moved = moveBoundary(shots(), index, second);
    if (moved !== shots()) put(moved, `boundary.${index}`);
  };
  const secondsOf = (/** @type {number} */ pixels) => (pixels / track.getBoundingClientRect().width) * Math.max(MAX_SECONDS, totalSeconds(shots()));
  const blockAt = (/** @type {number} */ index) => /** @type {HTMLElement} */ (blocks.children[index]);
  const setCurrent = (/** @type {number} */ index) => {
    current = Math.max(0, Math.min(blocks.children.length - 1, index));
    [...blocks.children].forEach((block, i) => { /** @type {HTMLElement} */ (block).tabIndex = i === current ? 0 : -1; });
  };
  const layOut = (/** @type {number[]} */ order) => {
    const all = shots();
    const places = barBlocks(order.map((i) => all[i]));
    order.forEach((i, place) => {
      const { left, width, over } = places[place];
      blockAt(i).style.left = `${left}%`;
      blockAt(i).style.width = `${width}%`;
      blockAt(i).classList.toggle('kn-too-long', over);
    });
  };
  const inOrder = () => shots().map((_, i) => i);

  const makeBlock = (/** @type {Shot} */ _, /** @type {number} */ first) => {
    let at = first;
    const number = h('b', {});
    const seconds = h('span', {});
    const block = h('button', { type: 'button', class: 'kn-block', 'data-action': 'edit-shot', on: { focus: () => setCurrent(at), keydown: (event) => onKey(event) } }, number, seconds);
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: shots().length - 1 }[event.key];
      if (to == null || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.altKey) move(at, to);
      else blockAt(Math.max(0, Math.min(shots().length - 1, to))).focus();
    };
    draggable(block, {
      over(by) {
        const all = shots();
        const start = totalSeconds(all.slice(0, at)) + secondsOf(by);
        const to = dropIndex(all, at, start);
        layOut(moveItem(inOrder(), at, to));
        block.style.left = `${(100 * start) / Math.max(MAX_SECONDS, totalSeconds(all))}%`;
        return to;
      },
      drop(to) { layOut(inOrder()); if (to != null) move(at, to); },
      click() { open(at); },
    });
    return { el: block, paint: (/** @type {Shot} */ shot, /** @type {number} */ index) => {
      at = index;
      number.textContent = String(index + 1);
      seconds.textContent = `${shot.duration} s`;
      block.title = `Shot ${index + 1} · ${shot.duration} s – drag to move, click to edit`;
      block.setAttribute('aria-label', `Shot ${index + 1}, ${shot.duration} seconds. Press Alt and an arrow key to move it, Enter to edit its prompt.`);
    } };
  };

  const makeEdge = (/** @type {Shot} */ _, /** @type {number} */ index) => {
    const edge = h('div', { class: 'kn-edge', role: 'separator', tabindex: 0, 'aria-orientation': 'vertical', 'aria-label': `End of shot ${index + 1}` });
    edge.addEventListener('pointerdown', (event) => {
      if (event.button) return;
      event.preventDefault();
      edge.focus();
      edge.setPointerCapture(event.pointerId);
      track.classList.add('kn-dragging');
    });
    edge.addEventListener('pointermove', (event) => {
      if (edge.hasPointerCapture(event.pointerId)) moveEdge(index, secondsOf(event.clientX - track.getBoundingClientRect().left));
    });
    edge.addEventListener('lostpointercapture', () => track.classList.remove('kn-dragging'));
    edge.addEventListener('keydown', (event) => {
      const step = KEY_STEPS[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      moveEdge(index, boundaryAt(shots(), index).now + step);
    });
    return { el: edge, paint: () => {
      const all = shots();
      const { now, min, max } = boundaryAt(all, index);
      const { left, width } = barBlocks(all)[index];
      const next = all[index + 1];
      edge.style.left = `${left + width}%`;
      edge.setAttribute('aria-valuemin', String(min));
      edge.setAttribute('aria-valuemax', String(max));
      edge.setAttribute('aria-valuenow', String(now));
      edge.setAttribute('aria-valuetext', `Shot ${index + 1} lasts ${all[index].duration} s${next ? `, shot ${index + 2} ${next.duration} s` : `, ${now} s in total`}`);
      edge.title = 'Drag, or use the arrow keys';
    } };
  };

  const paintBlocks = keyedList(blocks, makeBlock, (shot, index) => shot.id ?? `at-${index}`);
  const paintEdges = keyedList(edges, makeEdge, (_, index) => index);
  return { el, paint: (/** @type {Shot[]} */ list) => {
    paintBlocks(list);
    layOut(inOrder());
    setCurrent(current);
    paintEdges(list);
    const sum = totalSeconds(list);
    track.setAttribute('aria-label', `${list.length} shots, ${sum} of ${MAX_SECONDS} seconds`);
    total.textContent = `${sum} / ${MAX_SECONDS} s`;
    total.dataset.level = totalError(sum) ? 'error' : '';
  } };
}

/**
 * Tell a click from a drag. `over` receives the distance of the pointer from its start, in pixels, and returns the new
 * index; `drop` receives that index, or null if Escape has cancelled the drag; `click` is a click or Enter.
 * @param {HTMLButtonElement} block
 * @param {{over: (distance: number) => number, drop: (index: number|null) => void, click: () => void}} acts
 */
function draggable(block, { over, drop, click }) {
  /** @type {{x: number, pointer: number, index: number|null}|null} */
  let drag = null;
  let begun = false;
  const end = (/** @type {boolean} */ dropped) => {
    const index = dropped ? drag?.index ?? null : null;
    drag = null;
    if (!block.classList.contains('kn-block-dragged')) return;
    block.classList.remove('kn-block-dragged');
    block.closest('.kn-track')?.classList.remove('kn-track-dragging');
    drop(index);
  };
  block.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    begun = false;
    drag = { x: event.clientX, pointer: event.pointerId, index: null };
  });
  block.addEventListener('pointermove', (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const distance = event.clientX - drag.x;
    if (!begun && Math.abs(distance) < SLACK) return;
    if (!begun) {
      begun = true;
      block.setPointerCapture(event.pointerId);
      block.focus();
      block.classList.add('kn-block-dragged');
      block.closest('.kn-track')?.classList.add('kn-track-dragging');
    }
    drag.index = over(distance);
  });
  block.addEventListener('pointerup', () => end(true));
  block.addEventListener('lostpointercapture', () => end(false));
  block.addEventListener('keydown', (event) => {
    if (!drag) begun = false; // a key press never ends a drag
    if (event.key !== 'Escape' || !drag) return;
    event.stopPropagation();
    end(false);
  });
  block.addEventListener('click', () => { if (!begun) click(); begun = false; });
}
