import { h, freshId, pageId } from './dom.js';
import { alertBox } from './alertbox.js';
import { ratioIcon, secondsSlider, segmented, toggle } from './choices.js';
import { clipPicker } from './clippicker.js';
import { codeFold } from './code.js';
import { makeCourier } from './courier.js';
import { makeDesk } from './desk.js';
import { elementList } from './elements.js';
import { faultPlace, paintFaults } from './faultline.js';
import { field, fold } from './fold.js';
import { foot } from './foot.js';
import { mendBox } from './mends.js';
import { noteBox } from './notes.js';
import { bringIn, bringsPictures, broughtBy, pictureSlot } from './pictures.js';
import { presetMenu } from './presets.js';
import { promptEditor } from './prompt.js';
import { referenceList } from './references.js';
import { rowList } from './rowlist.js';
import { storyboard } from './storyboard.js';
import { undoTools } from './undo.js';

/** The panel: a form over one draft. @param {Rendered} view */
function renderPanel({ model, el }) {
  el.dataset.lmSuppressShortcuts = 'true'; // else Shift+Enter in a field runs the cell in Notebook 7
  el.classList.add('kn', 'kn-panel');
  const desk = makeDesk(model, `${pageId()}/${freshId()}`);
  const courier = makeCourier(model);
  const alert = alertBox(model);
  const labels = () => model.get('labels');
  const failed = (/** @type {string} */ why, what = 'The picture was not added.') => alert.show({ message: what, remedy: why });
  /** @type {Shared['rewrite']} */
  const rewrite = (texts) => ({
    prompt: texts(desk.draft.prompt),
    negative_prompt: texts(desk.draft.negative_prompt),
    multi_prompt: desk.draft.multi_prompt.map((shot) => ({ ...shot, prompt: texts(shot.prompt) })),
  });
  const shared = { model, desk, labels, faults: faultPlace, courier, failed, rewrite };
  /** @template {keyof Draft} Name @param {Name} name */
  const setting = (name) => (/** @type {Draft[Name]} */ value) => desk.edit({ [name]: value });

  const bannerText = h('span', {});
  const banner = h('div', { class: 'kn-banner', role: 'status' }, h('i', { class: 'kn-dot' }), bannerText);
  /** @type {Control<Draft['mode']>} */
  const mode = segmented({ label: 'How the clip is described', pick: (value) => switchMode(desk, value),
    options: [{ value: 'prompt', text: 'One prompt' }, { value: 'shots', text: 'Shots' }] });
  const prompt = promptEditor({ label: 'Prompt', hint: 'What is to be seen. @ names a reference.', usual: 512, most: 2500, labels, draft: () => desk.draft, write: setting('prompt') });
  const onePrompt = h('div', { class: 'kn-field kn-one-prompt' }, prompt.el, faultPlace('prompt'));
  const shots = storyboard(shared);
  const references = referenceList(shared);
  /** @param {string} title @param {'start_image_url'|'tail_image_url'} name */
  const slot = (title, name) => pictureSlot({ title, labels, set: setting(name),
    bring: ({ files, places }) => bringIn({ files: files.slice(0, 1), places: places.slice(0, 1) }, courier, frames[name].coming, setting(name), failed) });
  const frames = { start_image_url: slot('Start frame', 'start_image_url'), tail_image_url: slot('Tail frame', 'tail_image_url') };
  const clips = clipPicker(shared);
  const elements = elementList(shared);
  const negative = promptEditor({ label: 'Negative prompt', hint: 'blur, distort, low quality', usual: 2500, most: 2500, labels, draft: () => desk.draft, write: setting('negative_prompt') });

  const aspect = segmented({ label: 'Aspect ratio', pick: setting('aspect_ratio'), options: ['16:9', '9:16', '1:1'].map((value) => ({ value, text: value, icon: ratioIcon(value) })) });
  const length = secondsSlider({ label: 'Duration', least: 3, most: 15, pick: setting('duration') });
  const lengthField = field('Duration', length.el, faultPlace('duration'));
  const audio = toggle({ label: 'Generate audio', pick: setting('generate_audio') });
  const takes = segmented({ label: 'Generations', pick: setting('num_generations'), options: [1, 2, 3, 4].map((value) => ({ value, text: String(value), title: value === 1 ? 'One clip' : `${value} clips, each paid for` })) });

  const framesFold = fold('Start and tail frame', 'where the clip begins and ends', h('div', { class: 'kn-field' },
    h('div', { class: 'kn-frames' }, clips.under(frames.start_image_url, 'Start frame', setting('start_image_url')), h('span', { class: 'kn-arrow', 'aria-hidden': 'true', text: '→' }),
      clips.under(frames.tail_image_url, 'Tail frame', setting('tail_image_url'))), clips.el, faultPlace('start_image_url'), faultPlace('tail_image_url')));
  const elementsFold = fold('Elements', 'a character or object from several sides', elements.el);
  const negativeFold = fold('Negative prompt', 'what is not to be seen', h('div', { class: 'kn-field' }, negative.el, faultPlace('negative_prompt')));
  const code = codeFold({ model, desk });
  const presets = presetMenu(shared);
  mendBox({ root: el, ...shared });
  const notes = noteBox(model);
  const also = h('div', { class: 'kn-also' });
  const end = foot({ model, desk, showFault: () => revealFault(el) });
  const rows = rowList(model);

  el.append(
    h('div', { class: 'kn-sheet' },
      h('div', { class: 'kn-head' }, mode.el, undoTools(el, desk).el, presets.button, banner),
      presets.el, notes.el,
      onePrompt, shots.el, references.el,
      h('div', { class: 'kn-settings' }, field('Aspect', aspect.el, faultPlace('aspect_ratio')), lengthField, field('Generations', takes.el, faultPlace('num_generations')), field('Audio', audio.el, faultPlace('generate_audio'))),
      h('div', { class: 'kn-folds' }, framesFold.el, elementsFold.el, negativeFold.el, code.el),
      also, faultPlace(''), alert.el, end.el),
    rows.el);

  const paint = (/** @type {Draft} */ draft) => {
    const many = draft.mode === 'shots';
    mode.paint(draft.mode);
    onePrompt.hidden = many;
    lengthField.hidden = many;
    shots.el.hidden = !many;
    prompt.paint(draft.prompt);
    if (many) shots.paint(draft);
    references.paint(draft);
    frames.start_image_url.paint(draft.start_image_url);
    frames.tail_image_url.paint(draft.tail_image_url);
    elements.paint(draft);
    negative.paint(draft.negative_prompt);
    aspect.paint(draft.aspect_ratio);
    length.paint(draft.duration);
    audio.paint(draft.generate_audio);
    takes.paint(draft.num_generations);
    framesFold.paint([draft.start_image_url && 'start', draft.tail_image_url && 'tail'].filter(Boolean).join(' + '));
    elementsFold.paint(draft.elements.length ? String(draft.elements.length) : '');
    negativeFold.paint(draft.negative_prompt.trim() ? 'set' : '');
    el.classList.toggle('kn-fresh', String(draft.edit).startsWith('fill:') && !draft.prompt && !draft.multi_prompt.length);
  };
  const paintVerdict = () => {
    paintFaults(el, model.get('verdict').problems ?? []);
    markTiles(references.strip, model.get('verdict').problems ?? []);
  };
  const paintBanner = () => {
    const said = model.get('banner');
    bannerText.textContent = said.text ?? '';
    banner.title = said.detail ?? '';
    banner.dataset.tone = said.tone ?? '';
    banner.hidden = !said.text;
  };
  const paintRest = () => {
    also.textContent = model.get('also') ? `Also sent: ${model.get('also')}` : '';
    also.hidden = !model.get('also');
  };
  const repaint = () => paint(desk.draft);
  /** @type {[`change:${keyof Traits}`, () => void][]} */
  const watched = [ ['change:labels', repaint], ['change:verdict', paintVerdict], ['change:banner', paintBanner], ['change:also', paintRest]];
  for (const [name, act] of watched) model.on(name, act);
  desk.listen((draft) => { paint(draft); paintVerdict(); });
  paintBanner();
  paintRest();
  takePictures(el, references.bring);
  return () => {
    for (const [name, act] of watched) model.off(name, act);
    for (const part of [desk, courier, clips, elements, presets, alert, code, notes, end, rows]) part.close();
  };
}

/** Going over to shots the first time brings the prompt along as the first shot. @param {Desk} desk @param {Draft['mode']} mode */
function switchMode(desk, mode) {
  const { prompt, duration, multi_prompt: shots } = desk.draft;
  const first = mode === 'shots' && !shots.length;
  desk.edit({ mode, ...(first ? { multi_prompt: [{ prompt: prompt.slice(0, 512), duration, id: freshId() }] } : {}) });
}

/** Takes what is dropped or pasted anywhere on the panel as references. @param {HTMLElement} el @param {(brought: Brought) => void} bring */
function takePictures(el, bring) {
  let depth = 0;
  const over = (/** @type {boolean} */ on) => el.classList.toggle('kn-receiving', on);
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

/** @param {{el: HTMLElement}} strip @param {Problem[]} problems */
function markTiles(strip, problems) {
  /** @type {NodeListOf<HTMLElement>} */
  const tiles = strip.el.querySelectorAll('.kn-tile');
  tiles.forEach((tile, i) => {
    const mine = problems.filter((problem) => problem.path === `input_image.${i}`);
    tile.dataset.level = mine.some((problem) => problem.severity === 'error') ? 'error' : mine.length ? 'warning' : '';
  });
}

/** Goes to the first problem: opens what is folded, and puts the caret there. @param {HTMLElement} el */
function revealFault(el) {
  const fault = el.querySelector('.kn-fault[data-severity="error"]') ?? el.querySelector('.kn-fault');
  if (!fault) return;
  el.classList.remove('kn-fresh');
  fault.closest('details')?.setAttribute('open', '');
  fault.scrollIntoView({ block: 'center', behavior: 'auto' });
  const [control] = /** @type {NodeListOf<HTMLElement>} */ (fault.closest('.kn-field')?.querySelectorAll('textarea, input, button') ?? []);
  control?.focus({ preventScroll: true });
}

export default { render: renderPanel };
