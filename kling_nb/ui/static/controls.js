import { ratioIcon, segmented, slider, toggle } from './choices.js';
import { h } from './dom.js';
import { stepOf } from './formplan.js';

const WIDEST_ROW = 34; // letters that still stand in one row of buttons

/**
 * The control of one setting. While nothing is set it shows the default, which is then the hub's to fill in.
 * @param {Spec} spec @param {(value: any) => void} pick @returns {Control<any>}
 */
export function settingControl(spec, pick) {
  const made = makeControl(spec, pick);
  return { el: made.el, paint: (value) => made.paint(value ?? spec.default) };
}

/** @param {Spec} spec @param {(value: any) => void} pick @returns {Control<any>} */
function makeControl(spec, pick) {
  const limited = spec.default != null && spec.minimum != null && spec.maximum != null && spec.maximum - spec.minimum <= 1000;
  if (spec.kind === 'toggle') return toggle({ label: spec.title, pick });
  if (spec.kind === 'choice') return asButtons(spec) ? buttons(spec, pick) : choiceList(spec, pick);
  if (!limited) return numberLine(spec, pick);
  return slider({ label: spec.title, least: Number(spec.minimum), most: Number(spec.maximum), step: stepOf(spec), unit: spec.name === 'duration' ? 's' : '', pick });
}

/** Buttons cannot be taken back: where nothing is an answer too, it is a list. @param {Spec} spec */
function asButtons(spec) {
  const letters = spec.choices.map((choice) => choiceWords(spec, choice)).join('  ');
  return spec.choices.length <= 6 && letters.length <= WIDEST_ROW && (spec.default != null || spec.required);
}

/** @param {Spec} spec @param {(value: any) => void} pick */
function buttons(spec, pick) {
  return segmented({ label: spec.title, pick, options: spec.choices.map((value) => ({ value, text: choiceWords(spec, value), title: choiceTitle(spec, value),
    icon: spec.name === 'aspect_ratio' && /^\d+:\d+$/.test(String(value)) ? ratioIcon(String(value)) : undefined })) });
}

/** @param {Spec} spec @param {any} value */
function choiceWords(spec, value) {
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
    ...none, ...spec.choices.map((choice, i) => h('option', { value: String(i), text: choiceWords(spec, choice) })));
  return { el, paint: (value) => { const at = spec.choices.indexOf(value); el.value = at < 0 ? '' : String(at); } };
}

/** @param {Spec} spec @param {(value: number|null) => void} pick @returns {Control<any>} */
function numberLine(spec, pick) {
  const el = h('input', { type: 'number', class: 'kn-number', 'aria-label': spec.title, min: spec.minimum, max: spec.maximum, step: spec.kind === 'integer' ? 1 : 'any', placeholder: '–',
    on: { input: () => pick(el.value === '' ? null : Number(el.value)) } });
  return { el, paint: (value) => { if (el !== el.ownerDocument.activeElement || Number(el.value) !== value) el.value = value == null ? '' : String(value); } };
}

/** A line of text, or several for what is written as JSON. @param {Spec} spec @param {(value: string) => void} pick @returns {Control<any>} */
export function textControl(spec, pick) {
  const el = spec.kind === 'json'
    ? h('textarea', { class: 'kn-json', rows: 3, 'aria-label': spec.title, placeholder: 'JSON', spellcheck: 'false', on: { input: () => pick(el.value) } })
    : h('input', { type: 'text', class: 'kn-text', 'aria-label': spec.title, placeholder: spec.note, on: { input: () => pick(el.value) } });
  return { el, paint: (value) => { const text = value == null ? '' : String(value); if (el.value !== text) el.value = text; } };
}
