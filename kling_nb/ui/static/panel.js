import { alertBox } from './alertbox.js';
import { announcer } from './announcer.js';
import { arrivals } from './arrivals.js';
import { clipCache } from './clipcache.js';
import { codeFold } from './code.js';
import { actionButton, blockShortcuts, h, newId, pageId } from './dom.js';
import { makeDraftStore } from './draft.js';
import { dropArea } from './droparea.js';
import { footer } from './footer.js';
import { modelForm } from './form.js';
import { helpBox } from './helpbox.js';
import { icon } from './icons.js';
import { fitBox } from './imagefit.js';
import { imageView } from './imageview.js';
import { jobList } from './joblist.js';
import { makeKernel } from './kernel.js';
import { presetMenu } from './library.js';
import { watchKernel } from './liveness.js';
import { hubPicker } from './hubpicker.js';
import { modelPicker } from './modelpicker.js';
import { fillNotes, modelNotices } from './notices.js';
import { paintProblems, problemPlace, problemsText, worstSeverity } from './problems.js';
import { scriptBox } from './scriptbox.js';
import { severalModels } from './several.js';
import { undoTools } from './undo.js';

/** The panel: a form for one draft. @param {Rendered} view */
function renderPanel({ model, el }) {
  blockShortcuts(el);
  el.classList.add('kn', 'kn-panel');
  const store = makeDraftStore(model, `${pageId()}/${newId()}`);
  const kernel = makeKernel(model);
  const alert = alertBox(model);
  const labels = () => model.get('labels');
  const showError = (/** @type {string} */ remedy, message = 'Could not add the image.') => { if (remedy) alert.show({ message, remedy }); else alert.withdraw(); };
  const form = () => model.get('forms')[store.draft.model];
  /** @type {Shared['rewrite']} */
  const rewrite = (change) => Object.fromEntries(form().specs.filter((spec) => spec.kind === 'prompt' || spec.kind === 'shots').map(({ kind, name }) => [name,
    kind === 'prompt' ? change(String(store.draft[name] ?? '')) : store.draft.multi_prompt.map((shot) => ({ ...shot, prompt: change(shot.prompt) }))]));
  const shared = { model, store, labels, problemPlace, kernel, showError, rewrite, form };

  const bannerText = h('span', {});
  const banner = h('div', { class: 'kn-banner', role: 'status' }, h('i', { class: 'kn-dot' }), bannerText);
  const picker = modelPicker({ model, store });
  const hubs = hubPicker({ model, store });
  const notices = modelNotices({ model, store });
  const code = codeFold({ model, store });
  const presets = presetMenu(shared);
  const script = scriptBox(shared);
  const several = severalModels(shared);
  const help = helpBox({ ...shared, root: el });
  fitBox({ root: el, ...shared });
  imageView({ root: el, ...shared });
  const notes = fillNotes(model);
  const extra = h('div', { class: 'kn-extra' });
  const cache = clipCache(model, 3);
  /** @type {RowActs} */
  const acts = {
    rate: (id, stars) => model.send({ kind: 'annotate', id, changes: { stars } }),
    continueFrom: (id) => model.send({ kind: 'use_frame', call: '', id, frame: -1 }),
    open: (id) => model.send({ kind: 'open', call: '', id }),
    compare: (ids) => model.send({ kind: 'compare', ids }),
    gallery: (id) => model.send({ kind: 'gallery', id }),
    load: cache.get,
    showError: (reason) => showError(reason, 'Could not download the clip.'),
  };
  const jobs = jobList(model, acts);
  const foot = footer({ model, store, showProblem: () => revealProblem(el), showRow: jobs.reveal });
  el.addEventListener('keydown', foot.onKey);
  const arrived = arrivals(model, el);
  const gallery = galleryButton(model);
  const voice = announcer(() => problemsText(model.get('verdict').problems ?? []));

  const modes = h('div', { class: 'kn-modes' });
  const fields = h('div', { class: 'kn-fields' });
  const folds = h('div', { class: 'kn-folds' });
  el.append(
    h('div', { class: 'kn-sheet' },
      h('div', { class: 'kn-head' }, picker.button, hubs.select, banner), picker.el, hubs.el, notices.el,
      h('div', { class: 'kn-head kn-tools' }, modes, undoTools(el, store).el, h('div', { class: 'kn-openers' }, presets.button, gallery.button, script.button, several.button), help.button), presets.el, script.el, several.el, help.el, notes.el,
      fields, folds,
      extra, problemPlace(''), alert.el, foot.el),
    jobs.el, voice.el);

  const watch = watchKernel(model, el);
  /** @type {{form: ModelForm, parts: ReturnType<typeof modelForm>}|null} */
  let shown = null;
  /** The form of the chosen model; made again if the model or its fields have changed. */
  const currentForm = () => {
    const wanted = form();
    if (shown && JSON.stringify(shown.form) === JSON.stringify(wanted)) return shown.parts;
    shown?.parts.close();
    shown = { form: wanted, parts: modelForm(wanted, shared) };
    modes.replaceChildren(...(shown.parts.modes ? [shown.parts.modes.el] : []));
    fields.replaceChildren(shown.parts.el);
    folds.replaceChildren(...shown.parts.folds, code.el);
    return shown.parts;
  };
  const paint = (/** @type {Draft} */ draft) => {
    if (!form()) return; // Python has not sent it yet
    currentForm().paint(draft);
    picker.paint();
    notices.paint();
    el.classList.toggle('kn-pristine', String(draft.edit).startsWith('fill:') && !draft.prompt && !(draft.multi_prompt ?? []).length);
  };
  const applyFix = (/** @type {Partial<Draft>} */ changes) => {
    if (model.get('verdict').edit !== store.draft.edit) return; // it was made for an earlier text; the next verdict brings its own
    const shots = changes.multi_prompt?.map((shot, i) => ({ id: store.draft.multi_prompt[i]?.id ?? newId(), ...shot }));
    // A separate undo step. The prompt does not move.
    store.edit(shots ? { multi_prompt: shots, mode: 'shots' } : changes, `fix:${store.draft.edit}`);
  };
  const paintVerdict = () => {
    hubs.paint();
    paintBanner();
    paintProblems(el, model.get('verdict').problems ?? [], applyFix);
    markTiles(el, model.get('verdict').problems ?? []);
  };
  const paintBanner = () => {
    const { text, tone, detail } = model.get('banner');
    bannerText.textContent = text ?? '';
    banner.title = detail ?? '';
    banner.dataset.tone = tone ?? '';
    const { hubs: offers = [], hub } = model.get('verdict');
    banner.hidden = !text || (offers.length > 1 && hub !== offers[0]?.id); // it is about the hub in use
  };
  const paintExtra = () => {
    extra.textContent = model.get('extra') ? `Also sent: ${model.get('extra')}` : '';
    extra.hidden = !model.get('extra');
  };
  const repaint = () => paint(store.draft);
  /** @type {[`change:${keyof Traits}`, () => void][]} */
  const watched = [['change:labels', repaint], ['change:forms', () => { repaint(); paintVerdict(); }], ['change:verdict', () => { paintVerdict(); voice.soon(); }], ['change:banner', paintBanner], ['change:extra', paintExtra]];
  for (const [name, act] of watched) model.on(name, act);
  store.listen((draft) => { paint(draft); paintVerdict(); });
  paintBanner();
  paintExtra();
  const drops = dropArea(el, (sources) => currentForm().add(sources));
  return () => {
    for (const [name, act] of watched) model.off(name, act);
    shown?.parts.close();
    for (const part of [drops, watch, several, store, kernel, picker, notices, presets, alert, code, notes, foot, jobs, arrived, gallery, cache, voice]) part.close();
  };
}

/** Opens and closes the gallery below the panel. @param {Model} model */
function galleryButton(model) {
  const button = actionButton('open-gallery', () => model.send({ kind: 'gallery' }), { 'aria-expanded': 'false', title: 'All clips of the log' }, icon('grid'), 'Gallery');
  const onMessage = (/** @type {Incoming|null} */ message) => { if (message?.kind === 'gallery') button.setAttribute('aria-expanded', String(message.open)); };
  model.on('msg:custom', onMessage);
  return { button, close: () => model.off('msg:custom', onMessage) };
}

/** @param {HTMLElement} el @param {Problem[]} problems */
function markTiles(el, problems) {
  for (const list of /** @type {NodeListOf<HTMLElement>} */ (el.querySelectorAll('.kn-references'))) {
    const tiles = /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('.kn-tile'));
    tiles.forEach((tile, i) => { tile.dataset.level = worstSeverity(problems.filter((problem) => problem.path === `${list.dataset.field}.${i}`)); });
  }
}

/** Go to the first error, or else the first warning: open its fold and focus its field. @param {HTMLElement} el */
function revealProblem(el) {
  const problem = el.querySelector('.kn-problem[data-severity="error"]') ?? el.querySelector('.kn-problem');
  if (!problem) return;
  el.classList.remove('kn-pristine');
  problem.closest('details')?.setAttribute('open', '');
  problem.scrollIntoView({ block: 'center', behavior: 'auto' });
  const [control] = /** @type {NodeListOf<HTMLElement>} */ (problem.closest('.kn-field')?.querySelectorAll('textarea, input, button') ?? []);
  control?.focus({ preventScroll: true });
}

export default { render: renderPanel };
