import { segmented } from './choices.js';
import { clipPicker } from './clippicker.js';
import { settingControl, textControl } from './controls.js';
import { freshId, h } from './dom.js';
import { elementList } from './elements.js';
import { field, fold } from './fold.js';
import { foldWords, planOf, SETTINGS } from './formplan.js';
import { bringIn, pictureSlot } from './pictures.js';
import { promptEditor } from './prompt.js';
import { referenceList } from './references.js';
import { storyboard } from './storyboard.js';
import { videoSlot } from './videos.js';

/**
 * The fields of one model, each with the control of its kind: prompt and pictures first, a row of settings, the rest
 * folded away.
 * @param {ModelForm} form @param {Shared} shared
 */
export function modelForm(form, shared) {
  const plan = planOf(form.specs);
  const clips = clipPicker(shared);
  const makers = fieldMakers(form, { ...shared, clips });
  const main = plan.main.map((spec) => makers.part(spec));
  const settings = plan.settings.map((spec) => makers.setting(spec));
  const folds = plan.folds.map((part) => makers.folded(part));
  const body = h('div', { class: 'kn-form' }, ...main.map((each) => each.el), h('div', { class: 'kn-settings' }, ...settings.map((each) => each.el)));
  const parts = [...main, ...settings, ...folds];
  const taker = parts.map((each) => each.bring).find(Boolean);
  return {
    el: body,
    folds: folds.map((each) => each.el),
    modes: makers.modes,
    paint: (/** @type {Draft} */ draft) => { for (const part of parts) part.paint(draft); makers.modes?.paint(draft.mode); },
    bring: (/** @type {Brought} */ brought) => (taker ? taker(brought) : shared.failed('Choose an image-to-video or reference-to-video model.', `${form.title} does not accept images.`)),
    close: () => { clips.close(); for (const part of parts) part.close?.(); },
  };
}

/**
 * @typedef {{el: HTMLElement, paint: (draft: Draft) => void, bring?: (brought: Brought) => void, close?: () => void}} FormPart
 * @param {ModelForm} form @param {Shared & {clips: ReturnType<typeof clipPicker>}} shared
 */
function fieldMakers(form, shared) {
  const { desk, labels, faults, courier, failed, clips } = shared;
  const set = (/** @type {Spec} */ spec) => (/** @type {any} */ value) => desk.edit({ [spec.name]: value });
  const hasShots = form.specs.some((spec) => spec.kind === 'shots');
  const told = (/** @type {Draft} */ draft) => hasShots && draft.mode === 'shots';
  /** @type {Control<Draft['mode']>|null} */
  const modes = hasShots ? segmented({ label: 'Prompt mode', pick: (value) => switchMode(desk, value),
    options: [{ value: 'prompt', text: 'One prompt' }, { value: 'shots', text: 'Shots' }] }) : null;

  /** @param {Spec} spec @returns {FormPart} */
  const prompt = (spec) => {
    const main = spec.name === 'prompt';
    const most = spec.max_length ?? 2500;
    const hint = main ? 'Describe the shot. Type @ to mention a reference.' : spec.note;
    const editor = promptEditor({ label: spec.title, hint, usual: main ? Math.min(512, most) : most, most, labels, draft: () => desk.draft, write: set(spec) });
    const el = h('div', { class: `kn-field ${main ? 'kn-main-prompt' : ''}` }, editor.el, faults(spec.name));
    return { el, paint: (draft) => { el.hidden = main && told(draft); editor.paint(String(draft[spec.name] ?? '')); } };
  };
  /** @param {Spec} spec @returns {FormPart} */
  const picture = (spec) => {
    const slot = slotOf(spec);
    return { el: h('div', { class: 'kn-field' }, h('div', { class: 'kn-frames' }, clips.under(slot, spec.title, set(spec))), faults(spec.name)), bring: slot.bring, paint: (draft) => slot.paint(draft[spec.name] ?? null) };
  };
  const slotOf = (/** @type {Spec} */ spec) => {
    const bring = (/** @type {Brought} */ { files, places }) => bringIn({ files: files.slice(0, 1), places: places.slice(0, 1) }, courier, slot.coming, set(spec), failed);
    const slot = pictureSlot({ title: spec.title, labels, set: set(spec), bring });
    return { ...slot, bring };
  };
  /** @param {Spec} spec @returns {FormPart} */
  const video = (spec) => {
    const slot = videoSlot(spec, shared);
    return { el: h('div', { class: 'kn-field' }, h('div', { class: 'kn-label', text: spec.title }), slot.el, faults(spec.name)), paint: (draft) => slot.paint(draft[spec.name] ?? null) };
  };
  /** @param {Spec} spec @returns {FormPart} */
  const setting = (spec) => {
    const control = settingControl(spec, set(spec));
    const el = field(spec.title, control.el, faults(spec.name));
    el.title = spec.note;
    return { el, paint: (draft) => {
      el.hidden = (spec.name === 'duration' && told(draft)) || Boolean(spec.requires && !draft[spec.requires]);
      control.paint(draft[spec.name]);
    } };
  };
  /** @param {Spec} spec @returns {FormPart} */
  const text = (spec) => {
    const control = textControl(spec, set(spec));
    return { el: field(spec.title, control.el, faults(spec.name)), paint: (draft) => control.paint(draft[spec.name]) };
  };
  /** @param {Spec} spec @returns {FormPart} */
  const part = (spec) => {
    if (spec.kind === 'prompt') return prompt(spec);
    if (spec.kind === 'images') return referenceList(spec, shared);
    if (spec.kind === 'image') return picture(spec);
    if (spec.kind === 'video') return video(spec);
    if (spec.kind === 'elements') return elementList(shared);
    if (spec.kind === 'shots') {
      const shots = storyboard(shared);
      return { el: shots.el, paint: (draft) => { shots.el.hidden = !told(draft); if (told(draft)) shots.paint(draft); } };
    }
    return ['text', 'json'].includes(spec.kind) ? text(spec) : setting(spec);
  };
  /** Two pictures with an arrow between them. @param {Spec[]} specs @returns {FormPart} */
  const frames = (specs) => {
    const slots = specs.map((spec) => ({ spec, slot: slotOf(spec) }));
    const [first, last] = slots.map(({ spec, slot }) => clips.under(slot, spec.title, set(spec)));
    const el = h('div', { class: 'kn-field' }, h('div', { class: 'kn-frames' }, first, h('span', { class: 'kn-arrow', 'aria-hidden': 'true', text: '→' }), last), ...specs.map((spec) => faults(spec.name)));
    return { el, paint: (draft) => { for (const { spec, slot } of slots) slot.paint(draft[spec.name] ?? null); } };
  };
  /** @param {import('./formplan.js').Part} each @returns {FormPart} */
  const folded = (each) => {
    const inside = each.id === 'frames' ? [frames(each.specs)] : each.specs.map(part);
    const inRow = (/** @type {number} */ i) => each.id !== 'frames' && SETTINGS.includes(each.specs[i].kind);
    const row = inside.filter((_, i) => inRow(i)).map((one) => one.el);
    const above = inside.filter((_, i) => !inRow(i)).map((one) => one.el);
    const box = fold(each.title, each.note, h('div', { class: 'kn-inside' }, ...above, row.length ? h('div', { class: 'kn-settings' }, ...row) : null));
    return { el: box.el, bring: inside.map((one) => one.bring).find(Boolean), close: () => { for (const one of inside) one.close?.(); },
      paint: (draft) => { for (const one of inside) one.paint(draft); box.paint(foldWords(each, draft)); } };
  };
  return { modes, part, setting, folded };
}

/** Going over to shots the first time brings the prompt along as the first shot. @param {Desk} desk @param {Draft['mode']} mode */
function switchMode(desk, mode) {
  const { prompt, duration, multi_prompt: shots } = desk.draft;
  const first = mode === 'shots' && !shots.length;
  desk.edit({ mode, ...(first ? { multi_prompt: [{ prompt: prompt.slice(0, 512), duration, id: freshId() }] } : {}) });
}
