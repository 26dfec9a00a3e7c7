import { clipPicker } from './clippicker.js';
import { h, newId } from './dom.js';
import { elementList } from './elements.js';
import { fold } from './fold.js';
import { foldSummary, formLayout, SETTINGS } from './formlayout.js';
import { imageSlot, oneOf, uploadSources } from './images.js';
import { segmented } from './inputs.js';
import { promptEditor } from './prompt.js';
import { referenceList } from './references.js';
import { settingControl, textControl } from './settings.js';
import { storyboard } from './storyboard.js';
import { videoSlot } from './video.js';

/**
 * The fields of one model, each with the control of its kind: prompt and images first, then a row of settings, then the
 * collapsed parts.
 * @param {ModelForm} form @param {Shared} shared
 */
export function modelForm(form, shared) {
  const layout = formLayout(form.specs);
  const clips = clipPicker(shared);
  const makers = fieldMakers(form, { ...shared, clips });
  const main = layout.main.map((spec) => makers.field(spec));
  const settings = layout.settings.map((spec) => makers.setting(spec));
  const folds = layout.folds.map((part) => makers.folded(part));
  const el = h('div', { class: 'kn-form' }, ...main.map((field) => field.el), h('div', { class: 'kn-settings' }, ...settings.map((field) => field.el)));
  const fields = [...main, ...settings, ...folds];
  const addImages = fields.map((field) => field.add).find(Boolean);
  return {
    el,
    folds: folds.map((part) => part.el),
    modes: makers.modes,
    paint: (/** @type {Draft} */ draft) => { for (const field of fields) field.paint(draft); makers.modes?.paint(draft.mode); },
    add: (/** @type {Sources} */ sources) => (addImages ? addImages(sources) : shared.showError('Choose an image-to-video or reference-to-video model.', `${form.title} does not accept images.`)),
    close: () => { clips.close(); for (const field of fields) field.close?.(); },
  };
}

/**
 * @typedef {{el: HTMLElement, paint: (draft: Draft) => void, add?: (sources: Sources) => void, close?: () => void}} Field
 * @param {ModelForm} form @param {Shared & {clips: ReturnType<typeof clipPicker>}} shared
 */
function fieldMakers(form, shared) {
  const { store, labels, problemPlace, kernel, showError, clips } = shared;
  const set = (/** @type {Spec} */ spec) => (/** @type {any} */ value) => store.edit({ [spec.name]: value });
  const hasShots = form.specs.some((spec) => spec.kind === 'shots');
  const inShots = (/** @type {Draft} */ draft) => hasShots && draft.mode === 'shots';
  /** @type {Control<Draft['mode']>|null} */
  const modes = hasShots ? segmented({ label: 'Prompt mode', pick: (value) => switchMode(store, value),
    options: [{ value: 'prompt', text: 'One prompt' }, { value: 'shots', text: 'Shots' }] }) : null;
  /** @param {Spec} spec @param {import('./dom.js').Props} props @param {...(Node|null)} children */
  const box = (spec, props, ...children) => h('div', { class: 'kn-field', 'data-field': spec.name, ...props }, ...children, problemPlace(spec.name));
  const label = (/** @type {Spec} */ spec) => h('div', { class: 'kn-label', text: spec.title });

  /** @param {Spec} spec @returns {Field} */
  const prompt = (spec) => {
    const main = spec.name === 'prompt';
    const max = spec.max_length ?? 2500;
    const hint = main ? 'Describe the shot. Type @ for a reference, / for camera, lens, light and motion.' : spec.note;
    const editor = promptEditor({ label: spec.title, hint, usual: main ? Math.min(512, max) : max, max, labels, draft: () => store.draft, write: set(spec) });
    const el = box(spec, { class: `kn-field ${main ? 'kn-main-prompt' : ''}` }, editor.el);
    return { el, paint: (draft) => { el.hidden = main && inShots(draft); editor.paint(String(draft[spec.name] ?? '')); } };
  };
  const makeSlot = (/** @type {Spec} */ spec) => {
    const leads = !/tail|end|last/.test(spec.name); // the clip continues the previous one, or ends where another begins
    const add = (/** @type {Sources} */ sources) => uploadSources(oneOf(sources), kernel, slot.uploads, set(spec), showError, 'image', leads ? -1 : 0);
    const slot = imageSlot({ title: spec.title, field: spec.name, ofClip: leads ? 'Last frame' : 'First frame', labels, set: set(spec), add });
    return { ...slot, add };
  };
  /** @param {Spec} spec @returns {Field} */
  const image = (spec) => {
    const slot = makeSlot(spec);
    return { el: box(spec, {}, h('div', { class: 'kn-frames' }, clips.below(slot, spec.title, set(spec)))), add: slot.add, paint: (draft) => slot.paint(draft[spec.name] ?? null) };
  };
  /** @param {Spec} spec @returns {Field} */
  const video = (spec) => {
    const slot = videoSlot(spec, shared);
    return { el: box(spec, {}, label(spec), slot.el), paint: (draft) => slot.paint(draft[spec.name] ?? null) };
  };
  /** @param {Spec} spec @returns {Field} */
  const setting = (spec) => {
    const control = settingControl(spec, set(spec));
    const el = box(spec, { title: spec.note }, label(spec), control.el);
    return { el, paint: (draft) => {
      el.hidden = (spec.name === 'duration' && inShots(draft)) || Boolean(spec.requires && !draft[spec.requires]);
      control.paint(draft[spec.name]);
    } };
  };
  /** @param {Spec} spec @returns {Field} */
  const text = (spec) => {
    const control = textControl(spec, set(spec));
    return { el: box(spec, {}, label(spec), control.el), paint: (draft) => control.paint(draft[spec.name]) };
  };
  const shots = () => {
    const board = storyboard(shared);
    return { el: board.el, paint: (/** @type {Draft} */ draft) => { board.el.hidden = !inShots(draft); if (inShots(draft)) board.paint(draft); } };
  };
  /** @param {Spec} spec @returns {Field} */
  const field = (spec) => {
    switch (spec.kind) {
      case 'prompt': return prompt(spec);
      case 'images': return referenceList(spec, shared);
      case 'image': return image(spec);
      case 'video': return video(spec);
      case 'elements': return elementList(shared);
      case 'shots': return shots();
      case 'text': case 'json': return text(spec);
      default: return setting(spec);
    }
  };
  /** The first and the last frame, with an arrow between them. @param {Spec[]} specs @returns {Field} */
  const frames = (specs) => {
    const slots = specs.map((spec) => ({ spec, slot: makeSlot(spec) }));
    const [first, last] = slots.map(({ spec, slot }) => clips.below(slot, spec.title, set(spec)));
    const el = h('div', { class: 'kn-field', 'data-field': 'frames' }, h('div', { class: 'kn-frames' }, first, h('span', { class: 'kn-arrow', 'aria-hidden': 'true', text: '→' }), last), ...specs.map((spec) => problemPlace(spec.name)));
    return { el, paint: (draft) => { for (const { spec, slot } of slots) slot.paint(draft[spec.name] ?? null); } };
  };
  /** @param {import('./formlayout.js').Part} part @returns {Field} */
  const folded = (part) => {
    const fields = part.id === 'frames' ? [frames(part.specs)] : part.specs.map(field);
    const isSetting = (/** @type {number} */ i) => part.id !== 'frames' && SETTINGS.includes(part.specs[i].kind);
    const row = fields.filter((_, i) => isSetting(i)).map((each) => each.el);
    const above = fields.filter((_, i) => !isSetting(i)).map((each) => each.el);
    const section = fold(part.id, part.title, part.hint, h('div', { class: 'kn-inside' }, ...above, row.length ? h('div', { class: 'kn-settings' }, ...row) : null));
    return { el: section.el, add: fields.map((each) => each.add).find(Boolean), close: () => { for (const each of fields) each.close?.(); },
      paint: (draft) => { for (const each of fields) each.paint(draft); section.paint(foldSummary(part, draft)); } };
  };
  return { modes, field, setting, folded };
}

/** Switch between one prompt and shots; the first time, the prompt becomes the first shot. @param {DraftStore} store @param {Draft['mode']} mode */
function switchMode(store, mode) {
  const { prompt, duration, multi_prompt: shots } = store.draft;
  const first = mode === 'shots' && !shots.length;
  store.edit({ mode, ...(first ? { multi_prompt: [{ prompt: prompt.slice(0, 512), duration, id: newId() }] } : {}) });
}
