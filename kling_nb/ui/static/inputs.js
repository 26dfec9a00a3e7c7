import { h, iconButton, newId } from './dom.js';

/**
 * A row of joined buttons to choose one of a few options; radio buttons, so that the arrow keys work.
 * @template Value
 * @param {{label: string, options: {value: Value, text: string, icon?: Node, title?: string}[], pick: (value: Value) => void}} spec
 * @returns {Control<Value>}
 */
export function segmented({ label, options, pick }) {
  const name = `kn-${newId()}`;
  const inputs = options.map((option) => h('input', { type: 'radio', name, 'data-value': String(option.value), on: { change: () => pick(option.value) } }));
  const el = h('div', { class: 'kn-segmented', role: 'radiogroup', 'aria-label': label },
    ...options.map((option, i) => h('label', { class: 'kn-segment', title: option.title }, inputs[i], h('span', {}, option.icon, option.text))));
  return { el, paint: (value) => options.forEach((option, i) => { inputs[i].checked = option.value === value; }) };
}

/** A small rectangle of an aspect ratio. @param {string} ratio `16:9` */
export function ratioIcon(ratio) {
  const [width, height] = ratio.split(':').map(Number);
  const scale = 13 / Math.max(width, height);
  return h('i', { class: 'kn-ratio', style: `width:${width * scale}px;height:${height * scale}px` });
}

/**
 * A number of whole seconds, with a button on either side.
 * @param {Range} spec @returns {Control<number>}
 *
 * @typedef {{label: string, min: number, max: number, pick: (value: number) => void}} Range
 */
export function secondsStepper({ label, min, max, pick }) {
  let value = min;
  const pickNear = (/** @type {number} */ next) => pick(Math.min(max, Math.max(min, next)));
  const input = h('input', { type: 'number', min, max, step: 1, 'aria-label': label, inputmode: 'numeric',
    on: { input: () => { const typed = Number.parseInt(input.value, 10); if (Number.isFinite(typed)) pick(typed); }, blur: () => { input.value = String(value); } } });
  const less = iconButton('less', 'minus', `${label}: one second less`, () => pickNear(value - 1));
  const more = iconButton('more', 'plus', `${label}: one second more`, () => pickNear(value + 1));
  const el = h('div', { class: 'kn-stepper' }, less, h('span', { class: 'kn-stepper-value' }, input, h('span', { text: 's' })), more);
  return { el, paint: (next) => {
    value = next;
    if (input !== input.ownerDocument.activeElement || Number(input.value) !== next) input.value = String(next);
    less.disabled = next <= min;
    more.disabled = next >= max;
  } };
}

/**
 * A slider with its value beside it.
 * @param {Range & {step?: number, unit?: string}} spec @returns {Control<number>}
 */
export function slider({ label, min, max, step = 1, unit = '', pick }) {
  const input = h('input', { type: 'range', min, max, step, 'aria-label': label, on: { input: () => pick(Number(input.value)) } });
  const output = h('output', { class: 'kn-slider-value' });
  const el = h('div', { class: 'kn-slider' }, input, output);
  return { el, paint: (value) => {
    input.value = String(value);
    input.style.setProperty('--share', `${(100 * (Number(value) - min)) / (max - min)}%`);
    input.setAttribute('aria-valuetext', unit === 's' ? `${value} seconds` : String(value));
    output.textContent = [value ?? '–', unit].join(' ').trim();
  } };
}

/** A switch. @param {{label: string, pick: (value: boolean) => void}} spec @returns {Control<boolean>} */
export function toggle({ label, pick }) {
  const input = h('input', { type: 'checkbox', role: 'switch', 'aria-label': label, on: { change: () => pick(input.checked) } });
  const text = h('span', { class: 'kn-toggle-text' });
  const el = h('label', { class: 'kn-toggle' }, input, h('i', {}), text);
  return { el, paint: (value) => { input.checked = value === true; text.textContent = value ? 'On' : 'Off'; } };
}
