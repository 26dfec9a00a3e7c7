import { dragsClip } from './clipdrag.js';
import { actionButton, h, iconButton } from './dom.js';
import { frameAt } from './frames.js';
import { icon } from './icons.js';
import { starRow } from './stars.js';

/**
 * The details of the open record: its clip, its prompt, and the stars, tags and note, saved when the input loses focus.
 * @param {{annotate: Annotate, loadClip: LoadClip, useFrame: UseFrame, openInPanel: (id: string) => Promise<string>, shut: () => void, searchTag: (tag: string) => void}} acts
 */
export function recordDetails({ annotate, loadClip, useFrame, openInPanel, shut, searchTag }) {
  /** @type {Tile|null} */
  let tile = null;
  const video = h('video', { class: 'kn-record-video', controls: true, loop: true, playsinline: true, preload: 'metadata' });
  const image = h('img', { class: 'kn-record-video kn-record-image', alt: '' });
  dragsClip(video, () => (tile && { id: tile.id, title: tile.prompt.slice(0, 60), frame: frameAt(video.currentTime, tile.fps) }));
  dragsClip(image, () => (tile && { id: tile.id, title: tile.prompt.slice(0, 60), frame: 0 }));
  const error = h('div', { class: 'kn-record-error' });
  const status = h('div', { class: 'kn-faint', role: 'status' });
  const useText = h('span', {});
  const use = actionButton('use-frame', async () => { if (tile) status.textContent = await useFrame(tile.id, tile.image ? 0 : frameAt(video.currentTime, tile.fps)); }, {}, icon('chain'), useText);
  const onward = actionButton('continue', async () => { if (tile) status.textContent = await useFrame(tile.id, -1); }, { title: 'The last frame becomes the start frame in the panel' }, icon('continue'), 'Continue from last frame');
  const open = actionButton('open-in-panel', async () => { if (tile) status.textContent = await openInPanel(tile.id); }, {}, icon('again'), 'Open in panel');
  /** @type {(changes: Parameters<Annotate>[1]) => void} */
  const save = (changes) => { if (tile) annotate(tile.id, changes); };
  const prompt = h('div', { class: 'kn-record-prompt' });
  const facts = h('div', { class: 'kn-record-facts' });
  const scores = h('div', { class: 'kn-record-facts', role: 'note', 'aria-label': 'Scores' });
  const stars = starRow((count) => save({ stars: count }));
  stars.allowTab();
  const tags = h('input', { type: 'text', class: 'kn-input', 'aria-label': 'Tags', placeholder: 'Tags, separated by commas', spellcheck: 'false', 'data-field': 'tags',
    on: { change: () => save({ tags: tagsIn(tags.value) }), keydown: (event) => { if (event.key === 'Enter') tags.blur(); } } });
  const note = h('textarea', { class: 'kn-input kn-note', rows: '2', 'aria-label': 'Note', placeholder: 'Add a note', 'data-field': 'note', on: { change: () => save({ note: note.value }) } });
  const close = iconButton('close', 'close', 'Close', () => shut(), 'kn-record-close');
  close.title = 'Close (Esc)';
  const chips = h('div', { class: 'kn-chips' });
  const onEscape = (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation();
    /** @type {HTMLElement} */ (event.target).blur(); // saves what is being written
    shut();
  };
  const el = h('section', { class: 'kn-record', hidden: true, 'aria-label': 'Clip details', on: { keydown: (event) => { if (event.key === 'Escape') onEscape(event); } } },
    h('div', { class: 'kn-record-media' }, video, image, error, h('div', { class: 'kn-record-actions' }, onward, use, open, status)),
    h('div', { class: 'kn-record-text' }, close, prompt, facts, scores, stars.el, tags, chips, note));

  const paintMedia = (/** @type {Tile} */ next) => {
    use.hidden = !next.clip;
    onward.hidden = !next.clip || next.image;
    video.hidden = !next.clip || next.image;
    image.hidden = !next.image;
    useText.textContent = next.image ? 'Use as start frame' : 'Use this frame as start frame';
    status.textContent = '';
    video.poster = next.poster;
    video.style.aspectRatio = String(next.shape);
    error.textContent = next.clip ? '' : [next.status_text, next.reason].filter(Boolean).join(': ');
    video.removeAttribute('src');
    if (next.image) image.src = next.poster; else image.removeAttribute('src');
    if (!next.clip) return;
    const isCurrent = () => tile?.id === next.id;
    loadClip(next.id).then((url) => { if (isCurrent()) (next.image ? image : video).src = url; }, (failure) => { if (isCurrent()) error.textContent = failure.message; });
  };
  const paint = (/** @type {Tile|null} */ next) => {
    const other = next?.id !== tile?.id;
    tile = next;
    el.hidden = !next;
    if (!next) { video.pause(); video.removeAttribute('src'); return; }
    el.dataset.record = next.id;
    prompt.textContent = next.prompt;
    facts.textContent = [next.figures, next.price, next.when, next.id, next.badge].filter(Boolean).join(' · ');
    scores.hidden = !next.scores.length;
    scores.textContent = next.scores.join(' · ');
    stars.paint(next.stars);
    chips.replaceChildren(...next.tags.map((tag) => actionButton('search-tag', () => searchTag(tag), { class: 'kn-chip-button', text: `#${tag}`, title: 'Show all clips with this tag' })));
    if (other || tags !== document.activeElement) tags.value = next.tags.join(', ');
    if (other || note !== document.activeElement) note.value = next.note;
    if (other) paintMedia(next);
  };
  return { el, paint, get id() { return tile?.id ?? null; }, focus: () => close.focus({ preventScroll: true }) };
}

/** Split `a, b` into a list without duplicates. @param {string} text @returns {string[]} */
function tagsIn(text) {
  return [...new Set(text.split(',').map((tag) => tag.trim().replace(/^#+/, '')).filter(Boolean))];
}
