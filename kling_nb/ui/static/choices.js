import { h, iconButton, freshId } from './dom.js';

/**
 * One of a few, as a row of joined buttons (radio buttons underneath, so the arrow keys work).
 * @template Value
 * @param {{label: string, options: {value: Value, text: string, icon?: Node, title?: string}[], pick: (value: Value) => void}} spec
 * @returns {Control<Value>}
 */
export function segmented({ label, options, pick }) {
  const name = `kn-${freshId()}`;
  const inputs = options.map((option) => h('input', { type: 'radio', name, on: { change: () => pick(option.value) } }));
  const el = h('div', { class: 'kn-segmented', role: 'radiogroup', 'aria-label': label },
    ...options.map((option, i) => h('label', { class: 'kn-segment', title: option.title }, inputs[i], h('span', {}, option.icon, option.text))));
  return { el, paint: (value) => options.forEach((option, i) => { inputs[i].checked = option.value === value; }) };
}

/** A little rectangle of an aspect ratio. @param {string} ratio `16:9` */
export function ratioIcon(ratio) {
  const [w, v] = ratio.split(':').map(Number);
  const size = 13 / Math.max(w, v);
  return h('i', { class: 'kn-ratio', style: `width:${w * size}px;height:${v * size}px` });
}

/**
 * Whole seconds with a button on either side.
 * @param {Seconds} spec @returns {Control<number>}
 *
 * @typedef {{label: string, least: number, most: number, pick: (value: number) => void}} Seconds
 */
export function secondsStepper({ label, least, most, pick }) {
  let value = least;
  const to = (/** @type {number} */ next) => pick(Math.min(most, Math.max(least, next)));
  const input = h('input', { type: 'number', min: least, max: most, step: 1, 'aria-label': label, inputmode: 'numeric',
    on: { input: () => { const typed = Number.parseInt(input.value, 10); if (Number.isFinite(typed)) pick(typed); }, blur: () => { input.value = String(value); } } });
  const less = iconButton('minus', `${label}: one second less`, () => to(value - 1));
  const more = iconButton('plus', `${label}: one second more`, () => to(value + 1));
  const el = h('div', { class: 'kn-stepper' }, less, h('span', { class: 'kn-stepper-value' }, input, h('span', { text: 's' })), more);
  return { el, paint: (now) => {
    value = now;
    if (input !== input.ownerDocument.activeElement || Number(input.value) !== now) input.value = String(now);
    less.disabled = now <= least;
    more.disabled = now >= most;
  } };
}

/**
 * A slider with its value beside it.
 * @param {Seconds & {step?: number, unit?: string}} spec @returns {Control<number>}
 */
export function slider({ label, least, most, step = 1, unit = '', pick }) {
  const input = h('input', { type: 'range', min: least, max: most, step, 'aria-label': label, on: { input: () => pick(Number(input.value)) } });
  const out = h('output', { class: 'kn-slider-value' });
  const el = h('div', { class: 'kn-slider' }, input, out);
  return { el, paint: (value) => {
    input.value = String(value);
    input.style.setProperty('--share', `${(100 * (Number(value) - least)) / (most - least)}%`);
    input.setAttribute('aria-valuetext', unit === 's' ? `${value} seconds` : String(value));
    out.textContent = [value ?? '–', unit].join(' ').trim();
  } };
}

/** On or off. @param {{label: string, pick: (value: boolean) => void}} spec @returns {Control<boolean>} */
export function toggle({ label, pick }) {
  const input = h('input', { type: 'checkbox', role: 'switch', 'aria-label': label, on: { change: () => pick(input.checked) } });
  const words = h('span', { class: 'kn-toggle-text' });
  const el = h('label', { class: 'kn-toggle' }, input, h('i', {}), words);
  return { el, paint: (value) => { input.checked = value === true; words.textContent = value ? 'On' : 'Off'; } };
}
