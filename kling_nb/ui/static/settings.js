import { h } from './dom.js';
import { stepOf } from './formlayout.js';
import { ratioIcon, segmented, slider, toggle } from './inputs.js';

const WIDEST_ROW = 34; // characters that fit in one row of buttons

/**
 * The control of one setting. If nothing is set it shows the default, which the hub then fills in.
 * @param {Spec} spec @param {(value: any) => void} pick @returns {Control<any>}
 */
export function settingControl(spec, pick) {
  const control = makeControl(spec, pick);
  return { el: control.el, paint: (value) => control.paint(value ?? spec.default) };
}

/** @param {Spec} spec @param {(value: any) => void} pick @returns {Control<any>} */
function makeControl(spec, pick) {
  const limited = spec.default != null && spec.minimum != null && spec.maximum != null && spec.maximum - spec.minimum <= 1000;
  if (spec.kind === 'toggle') return toggle({ label: spec.title, pick });
  if (spec.kind === 'choice') return fitsButtons(spec) ? choiceButtons(spec, pick) : choiceList(spec, pick);
  if (!limited) return numberInput(spec, pick);
  return slider({ label: spec.title, min: Number(spec.minimum), max: Number(spec.maximum), step: stepOf(spec), unit: spec.name === 'duration' ? 's' : '', pick });
}

/** Radio buttons cannot be cleared: an optional choice without a default is a list. @param {Spec} spec */
function fitsButtons(spec) {
  const text = spec.choices.map((choice) => choiceText(spec, choice)).join('  ');
  return spec.choices.length <= 6 && text.length <= WIDEST_ROW && (spec.default != null || spec.required);
}

/** @param {Spec} spec @param {(value: any) => void} pick */
function choiceButtons(spec, pick) {
  return segmented({ label: spec.title, pick, options: spec.choices.map((value) => ({ value, text: choiceText(spec, value), title: choiceTitle(spec, value),
    icon: spec.name === 'aspect_ratio' && /^\d+:\d+$/.test(String(value)) ? ratioIcon(String(value)) : undefined })) });
}

/** @param {Spec} spec @param {any} value */
function choiceText(spec, value) {
  return spec.name === 'duration' ? `${value} s` : String(value);
}

/** @param {Spec} spec @param {any} value */
function choiceTitle(spec, value) {
  if (spec.name !== 'num_generations') return undefined;
  return value === 1 ? 'One clip' : `${value} clips, each charged`;
}

/** @param {Spec} spec @param {(value: any) => void} pick @returns {Control<any>} */
function choiceList(spec, pick) {
  const none = spec.required || spec.default != null ? [] : [h('option', { value: '', text: '–' })];
  const el = h('select', { class: 'kn-select', 'aria-label': spec.title, on: { change: () => pick(el.value === '' ? null : spec.choices[Number(el.value)]) } },
    ...none, ...spec.choices.map((choice, i) => h('option', { value: String(i), text: choiceText(spec, choice) })));
  return { el, paint: (value) => { const at = spec.choices.indexOf(value); el.value = at < 0 ? '' : String(at); } };
}

/** @param {Spec} spec @param {(value: number|null) => void} pick @returns {Control<any>} */
function numberInput(spec, pick) {
  const el = h('input', { type: 'number', class: 'kn-number', 'aria-label': spec.title, min: spec.minimum, max: spec.maximum, step: spec.kind === 'integer' ? 1 : 'any', placeholder: '–',
    on: { input: () => pick(el.value === '' ? null : Number(el.value)) } });
  return { el, paint: (value) => { if (el !== el.ownerDocument.activeElement || Number(el.value) !== value) el.value = value == null ? '' : String(value); } };
}

/** A text input, or several lines for JSON. @param {Spec} spec @param {(value: string) => void} pick @returns {Control<any>} */
export function textControl(spec, pick) {
  const el = spec.kind === 'json'
    ? h('textarea', { class: 'kn-json', rows: 3, 'aria-label': spec.title, placeholder: 'JSON', spellcheck: 'false', on: { input: () => pick(el.value) } })
    : h('input', { type: 'text', class: 'kn-text', 'aria-label': spec.title, placeholder: spec.note, on: { input: () => pick(el.value) } });
  return { el, paint: (value) => { const text = value == null ? '' : String(value); if (el.value !== text) el.value = text; } };
}
