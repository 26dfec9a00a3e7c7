import { h, icon, iconButton, keyedList, freshId } from './dom.js';
import { secondsStepper } from './choices.js';
import { promptEditor } from './prompt.js';
import { timeline } from './timeline.js';
import { MOST_SECONDS, MOST_SHOTS, movedItem, nextDuration, splitShot } from './timing.js';

/**
 * The shots: a bar of 15 s with a block for each, and below it each shot with its prompt and its seconds.
 * Each shot carries an `id` of the browser's own, so that its editor stays itself when the order changes.
 * @param {Pick<Shared, 'desk'|'labels'|'faults'>} shared
 */
export function storyboard({ desk, labels, faults }) {
  const shotsNow = () => desk.draft.multi_prompt;
  const put = (/** @type {Shot[]} */ shots) => desk.edit({ multi_prompt: shots });
  const change = (/** @type {number} */ index, /** @type {Partial<Shot>} */ fields) => put(shotsNow().map((shot, i) => (i === index ? { ...shot, ...fields } : shot)));
  const say = h('div', { class: 'kn-sr-only', 'aria-live': 'polite' });

  const move = (/** @type {number} */ from, /** @type {number} */ to) => {
    if (to < 0 || to >= shotsNow().length || to === from) return;
    say.textContent = `Shot ${from + 1} is now shot ${to + 1}.`;
    put(movedItem(shotsNow(), from, to));
  };
  const bar = timeline({ shots: shotsNow, put: (shots, what) => desk.edit({ multi_prompt: shots }, what), move, open: (i) => list.children[i]?.querySelector('textarea')?.focus() });
  const list = h('div', { class: 'kn-shots', role: 'list' });
  const adder = h('button', { type: 'button', class: 'kn-quiet', on: { click: () => add() } }, icon('plus'), 'Add shot');
  const el = h('div', { class: 'kn-storyboard' },
    bar.el, faults('multi_prompt'), list, h('div', { class: 'kn-shots-end' }, adder), say);

  const add = () => {
    put([...shotsNow(), { prompt: '', duration: nextDuration(shotsNow()), id: freshId() }]);
    list.lastElementChild?.querySelector('textarea')?.focus();
  };

  /** @type {number|null} */
  let dragged = null;
  const makeShot = () => {
    let at = 0;
    const editor = promptEditor({ label: 'Shot', hint: 'Describe the shot', usual: 512, most: 512, labels, draft: () => desk.draft, write: (text) => change(at, { prompt: text }) });
    const seconds = secondsStepper({ label: 'Seconds', least: 1, most: MOST_SECONDS, pick: (value) => change(at, { duration: value }) });
    const number = h('span', { class: 'kn-shot-number' });
    const grip = h('button', { type: 'button', class: 'kn-grip', draggable: 'true', title: 'Drag to move, or press Alt and an arrow key' }, icon('grip'), number);
    const up = iconButton('up', 'Move shot up', () => move(at, at - 1));
    const down = iconButton('down', 'Move shot down', () => move(at, at + 1));
    const double = iconButton('copy', 'Duplicate shot', () => put([...shotsNow().slice(0, at + 1), { ...shotsNow()[at], id: freshId() }, ...shotsNow().slice(at + 1)]));
    const split = iconButton('split', 'Split shot', () => put(splitShot(shotsNow(), at, freshId())));
    const off = iconButton('close', 'Remove shot', () => put(shotsNow().filter((_, i) => i !== at)));
    const place = faults(`multi_prompt.${at}`);
    const shot = h('div', { class: 'kn-shot kn-field', role: 'listitem' }, grip,
      h('div', { class: 'kn-shot-body' }, editor.el, place),
      h('div', { class: 'kn-shot-side' }, seconds.el, h('div', { class: 'kn-shot-tools' }, up, down, split, double, off)));
    shot.addEventListener('keydown', (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!event.altKey || !step) return;
      event.preventDefault();
      event.stopPropagation();
      move(at, at + step);
    });
    grip.addEventListener('dragstart', (event) => { dragged = at; event.dataTransfer?.setData('text/plain', ''); event.dataTransfer?.setDragImage(shot, 12, 12); shot.classList.add('kn-dragged'); });
    grip.addEventListener('dragend', () => { dragged = null; shot.classList.remove('kn-dragged'); mark(null); });
    shot.addEventListener('dragover', (event) => { if (dragged == null) return; event.preventDefault(); event.stopPropagation(); mark(shot, at > dragged); });
    shot.addEventListener('drop', (event) => {
      if (dragged == null) return;
      event.preventDefault();
      event.stopPropagation();
      move(dragged, at);
    });
    return { el: shot, paint: (/** @type {Shot} */ item, /** @type {number} */ index) => {
      at = index;
      number.textContent = String(index + 1);
      grip.setAttribute('aria-label', `Shot ${index + 1}. Press Alt and an arrow key to move it.`);
      editor.area.setAttribute('aria-label', `Prompt for shot ${index + 1}`);
      place.dataset.faults = `multi_prompt.${index}`;
      editor.paint(item.prompt);
      seconds.paint(item.duration);
      up.disabled = index === 0;
      down.disabled = index === shotsNow().length - 1;
      double.disabled = shotsNow().length >= MOST_SHOTS;
      split.disabled = double.disabled || item.duration < 2;
    } };
  };
  const mark = (/** @type {HTMLElement|null} */ target, after = false) => {
    for (const shot of list.children) shot.classList.remove('kn-drop-before', 'kn-drop-after');
    target?.classList.add(after ? 'kn-drop-after' : 'kn-drop-before');
  };

  const paintShots = keyedList(list, makeShot, (shot, i) => shot.id ?? `at-${i}`,
    (shot) => /** @type {HTMLElement} */ (shot?.querySelector('.kn-grip') ?? adder).focus());
  return { el, paint: (/** @type {Draft} */ draft) => {
    bar.paint(draft.multi_prompt);
    paintShots(draft.multi_prompt);
    adder.disabled = draft.multi_prompt.length >= MOST_SHOTS;
  } };
}
