import { h, freshId, pageId, ownKeys } from './dom.js';
import { alertBox } from './alertbox.js';
import { announcer } from './announcer.js';
import { codeFold } from './code.js';
import { makeCourier } from './courier.js';
import { makeDesk } from './desk.js';
import { faultPlace, paintFaults } from './faultline.js';
import { spokenProblems, worstSeverity } from './faults.js';
import { foot } from './foot.js';
import { modelForm } from './form.js';
import { mendBox } from './mends.js';
import { modelNews } from './modelnews.js';
import { modelPicker } from './modelpicker.js';
import { noteBox } from './notes.js';
import { bringsPictures, broughtBy } from './pictures.js';
import { presetMenu } from './presets.js';
import { rowList } from './rowlist.js';
import { undoTools } from './undo.js';

/** The panel: a form over one draft. @param {Rendered} view */
function renderPanel({ model, el }) {
  ownKeys(el);
  el.classList.add('kn', 'kn-panel');
  const desk = makeDesk(model, `${pageId()}/${freshId()}`);
  const courier = makeCourier(model);
  const alert = alertBox(model);
  const labels = () => model.get('labels');
  const failed = (/** @type {string} */ why, what = 'The image was not added.') => { if (why) alert.show({ message: what, remedy: why }); else alert.takeBack(); };
  const form = () => model.get('forms')[desk.draft.model];
  /** @type {Shared['rewrite']} */
  const rewrite = (texts) => Object.fromEntries(form().specs.filter((spec) => spec.kind === 'prompt' || spec.kind === 'shots').map(({ kind, name }) => [name,
    kind === 'prompt' ? texts(String(desk.draft[name] ?? '')) : desk.draft.multi_prompt.map((shot) => ({ ...shot, prompt: texts(shot.prompt) }))]));
  const shared = { model, desk, labels, faults: faultPlace, courier, failed, rewrite, form };

  const bannerText = h('span', {});
  const banner = h('div', { class: 'kn-banner', role: 'status' }, h('i', { class: 'kn-dot' }), bannerText);
  const picker = modelPicker({ model, desk });
  const news = modelNews({ model, desk });
  const code = codeFold({ model, desk });
  const presets = presetMenu(shared);
  mendBox({ root: el, ...shared });
  const notes = noteBox(model);
  const also = h('div', { class: 'kn-extra' });
  const end = foot({ model, desk, showFault: () => revealFault(el) });
  const rows = rowList(model);
  const voice = announcer(() => spokenProblems(model.get('verdict').problems ?? []));

  const modes = h('div', { class: 'kn-modes' });
  const fields = h('div', { class: 'kn-fields' });
  const folds = h('div', { class: 'kn-folds' });
  el.append(
    h('div', { class: 'kn-sheet' },
      h('div', { class: 'kn-head' }, picker.button, banner), picker.el, news.el,
      h('div', { class: 'kn-head kn-tools' }, modes, undoTools(el, desk).el, presets.button), presets.el, notes.el,
      fields, folds,
      also, faultPlace(''), alert.el, end.el),
    rows.el, voice.el);

  /** @type {{form: ModelForm, parts: ReturnType<typeof modelForm>}|null} */
  let shown = null;
  /** The fields of the model that is chosen: made anew when it is another, or its form has changed. */
  const fitted = () => {
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
    if (!form()) return; // it is on its way
    fitted().paint(draft);
    picker.paint();
    news.paint();
    el.classList.toggle('kn-pristine', String(draft.edit).startsWith('fill:') && !draft.prompt && !(draft.multi_prompt ?? []).length);
  };
  const paintVerdict = () => {
    paintFaults(el, model.get('verdict').problems ?? []);
    markTiles(el, model.get('verdict').problems ?? []);
  };
  const paintBanner = () => {
    const said = model.get('banner');
    bannerText.textContent = said.text ?? '';
    banner.title = said.detail ?? '';
    banner.dataset.tone = said.tone ?? '';
    banner.hidden = !said.text;
  };
  const paintRest = () => {
    also.textContent = model.get('extra') ? `Also sent: ${model.get('extra')}` : '';
    also.hidden = !model.get('extra');
  };
  const repaint = () => paint(desk.draft);
  /** @type {[`change:${keyof Traits}`, () => void][]} */
  const watched = [['change:labels', repaint], ['change:forms', () => { repaint(); paintVerdict(); }], ['change:verdict', () => { paintVerdict(); voice.soon(); }], ['change:banner', paintBanner], ['change:extra', paintRest]];
  for (const [name, act] of watched) model.on(name, act);
  desk.listen((draft) => { paint(draft); paintVerdict(); });
  paintBanner();
  paintRest();
  takePictures(el, (brought) => fitted().bring(brought));
  return () => {
    for (const [name, act] of watched) model.off(name, act);
    shown?.parts.close();
    for (const part of [desk, courier, picker, news, presets, alert, code, notes, end, rows, voice]) part.close();
  };
}

/** Takes what is dropped or pasted anywhere on the panel as references. @param {HTMLElement} el @param {(brought: Brought) => void} bring */
function takePictures(el, bring) {
  let depth = 0;
  const over = (/** @type {boolean} */ on) => el.classList.toggle('kn-drop-target', on);
  el.addEventListener('dragenter', (event) => { if (bringsPictures(event)) { depth += 1; over(true); } });
  el.addEventListener('dragleave', (event) => { if (bringsPictures(event)) { depth = Math.max(0, depth - 1); over(depth > 0); } });
  el.addEventListener('dragover', (event) => { if (bringsPictures(event)) event.preventDefault(); });
  el.addEventListener('drop', (event) => {
    depth = 0;
    over(false);
    if (!bringsPictures(event)) return;
    event.preventDefault();
    event.stopPropagation();
    bring(broughtBy(event.dataTransfer));
  });
  el.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    event.stopPropagation();
    bring({ files, places: [] });
  });
}

/** @param {HTMLElement} el @param {Problem[]} problems */
function markTiles(el, problems) {
  for (const strip of /** @type {NodeListOf<HTMLElement>} */ (el.querySelectorAll('.kn-strip[data-field]'))) {
    const tiles = /** @type {NodeListOf<HTMLElement>} */ (strip.querySelectorAll('.kn-tile'));
    tiles.forEach((tile, i) => { tile.dataset.level = worstSeverity(problems.filter((problem) => problem.path === `${strip.dataset.field}.${i}`)); });
  }
}

/** Goes to the first problem: opens what is folded, and puts the caret there. @param {HTMLElement} el */
function revealFault(el) {
  const fault = el.querySelector('.kn-problem[data-severity="error"]') ?? el.querySelector('.kn-problem');
  if (!fault) return;
  el.classList.remove('kn-pristine');
  fault.closest('details')?.setAttribute('open', '');
  fault.scrollIntoView({ block: 'center', behavior: 'auto' });
  const [control] = /** @type {NodeListOf<HTMLElement>} */ (fault.closest('.kn-field')?.querySelectorAll('textarea, input, button') ?? []);
  control?.focus({ preventScroll: true });
}

export default { render: renderPanel };
