import { actionButton, h, iconButton, keyedList, newId } from './dom.js';
import { icon } from './icons.js';
import { secondsStepper } from './inputs.js';
import { promptEditor } from './prompt.js';
import { timeline } from './timeline.js';
import { MAX_SECONDS, MAX_SHOTS, moveItem, nextDuration, splitShot } from './timing.js';

/**
 * The shots: a timeline of 15 s, and below it each shot with its prompt and its duration. Each shot has an `id` of the
 * browser, so that it keeps its editor when the order changes.
 * @param {Pick<Shared, 'store'|'labels'|'problemPlace'>} shared
 */
export function storyboard({ store, labels, problemPlace }) {
  const shots = () => store.draft.multi_prompt;
  const put = (/** @type {Shot[]} */ next) => store.edit({ multi_prompt: next });
  const change = (/** @type {number} */ index, /** @type {Partial<Shot>} */ fields) => put(shots().map((shot, i) => (i === index ? { ...shot, ...fields } : shot)));
  const voice = h('div', { class: 'kn-sr-only', 'aria-live': 'polite' });

  const move = (/** @type {number} */ from, /** @type {number} */ to) => {
    if (to < 0 || to >= shots().length || to === from) return;
    voice.textContent = `Shot ${from + 1} is now shot ${to + 1}.`;
    put(moveItem(shots(), from, to));
  };
  const bar = timeline({ shots, put: (next, name) => store.edit({ multi_prompt: next }, name), move, open: (i) => list.children[i]?.querySelector('textarea')?.focus() });
  const list = h('div', { class: 'kn-shots', role: 'list' });
  const adder = actionButton('add-shot', () => add(), {}, icon('plus'), 'Add shot');
  const el = h('div', { class: 'kn-storyboard', 'data-field': 'multi_prompt' },
    bar.el, problemPlace('multi_prompt'), list, h('div', { class: 'kn-shots-end' }, adder), voice);

  const add = () => {
    put([...shots(), { prompt: '', duration: nextDuration(shots()), id: newId() }]);
    list.lastElementChild?.querySelector('textarea')?.focus();
  };

  /** @type {number|null} */
  let dragged = null;
  const makeShot = () => {
    let at = 0;
    const editor = promptEditor({ label: 'Shot', hint: 'Describe the shot', usual: 512, max: 512, labels, draft: () => store.draft, write: (text) => change(at, { prompt: text }) });
    const seconds = secondsStepper({ label: 'Seconds', min: 1, max: MAX_SECONDS, pick: (value) => change(at, { duration: value }) });
    const number = h('span', { class: 'kn-shot-number' });
    const grip = h('button', { type: 'button', class: 'kn-grip', 'data-action': 'move', draggable: 'true', title: 'Drag to move, or press Alt and an arrow key' }, icon('grip'), number);
    const up = iconButton('move-up', 'up', 'Move shot up', () => move(at, at - 1));
    const down = iconButton('move-down', 'down', 'Move shot down', () => move(at, at + 1));
    const duplicate = iconButton('duplicate', 'copy', 'Duplicate shot', () => put([...shots().slice(0, at + 1), { ...shots()[at], id: newId() }, ...shots().slice(at + 1)]));
    const split = iconButton('split', 'split', 'Split shot', () => put(splitShot(shots(), at, newId())));
    const remove = iconButton('remove', 'close', 'Remove shot', () => put(shots().filter((_, i) => i !== at)));
    const place = problemPlace(`multi_prompt.${at}`);
    const shot = h('div', { class: 'kn-shot kn-field', role: 'listitem' }, grip,
      h('div', { class: 'kn-shot-body' }, editor.el, place),
      h('div', { class: 'kn-shot-side' }, seconds.el, h('div', { class: 'kn-shot-tools' }, up, down, split, duplicate, remove)));
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
      shot.dataset.shot = String(index);
      number.textContent = String(index + 1);
      grip.setAttribute('aria-label', `Shot ${index + 1}. Press Alt and an arrow key to move it.`);
      editor.area.setAttribute('aria-label', `Prompt for shot ${index + 1}`);
      place.dataset.problems = `multi_prompt.${index}`;
      editor.paint(item.prompt);
      seconds.paint(item.duration);
      up.disabled = index === 0;
      down.disabled = index === shots().length - 1;
      duplicate.disabled = shots().length >= MAX_SHOTS;
      split.disabled = duplicate.disabled || item.duration < 2;
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
    adder.disabled = draft.multi_prompt.length >= MAX_SHOTS;
  } };
}
