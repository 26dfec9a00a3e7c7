import { h } from './dom.js';
import { frameAt } from './frames.js';
import { glyph } from './glyphs.js';
import { starRow } from './stars.js';

/**
 * The record that is open: its clip, its prompt, and what the user says of it. Written when one goes on.
 * @param {{annotate: Annotate, bring: Bring, hand: Hand, open: (id: string) => Promise<string>, shut: () => void, searchTag: (tag: string) => void}} acts
 */
export function recordSheet({ annotate, bring, hand, open, shut, searchTag }) {
  /** @type {Tile|null} */
  let tile = null;
  const video = h('video', { class: 'kn-record-video', controls: true, loop: true, playsinline: true, preload: 'metadata' });
  const still = h('img', { class: 'kn-record-video kn-record-image', alt: '' });
  const why = h('div', { class: 'kn-record-error' });
  const told = h('div', { class: 'kn-faint', role: 'status' });
  const useWords = h('span', {});
  const use = h('button', { type: 'button', class: 'kn-quiet', on: { click: () => frame() } },
    glyph('chain'), useWords);
  const frame = async () => { if (tile) told.textContent = await hand(tile.id, tile.image ? 0 : frameAt(video.currentTime, tile.fps)); };
  const fill = h('button', { type: 'button', class: 'kn-quiet', on: { click: () => request() } }, glyph('again'), 'Open in panel');
  const request = async () => { if (tile) told.textContent = await open(tile.id); };
  /** @type {(changes: Parameters<Annotate>[1]) => void} */
  const write = (changes) => { if (tile) annotate(tile.id, changes); };
  const chain = h('div', { class: 'kn-record-actions' }, use, fill, told);
  const prompt = h('div', { class: 'kn-record-prompt' });
  const facts = h('div', { class: 'kn-record-facts' });
  const scores = h('div', { class: 'kn-record-facts', role: 'note', 'aria-label': 'Scores' });
  const stars = starRow((count) => write({ stars: count }));
  stars.reachable();
  const tags = h('input', { type: 'text', class: 'kn-input', 'aria-label': 'Tags', placeholder: 'Tags, separated by commas', spellcheck: 'false',
    on: { change: () => write({ tags: tagsIn(tags.value) }), keydown: (event) => { if (event.key === 'Enter') tags.blur(); } } });
  const note = h('textarea', { class: 'kn-input kn-note', rows: '2', 'aria-label': 'Note', placeholder: 'Add a note', on: { change: () => write({ note: note.value }) } });
  const close = h('button', { type: 'button', class: 'kn-icon-button kn-record-close', 'aria-label': 'Close', title: 'Close (Esc)', on: { click: () => shut() } }, glyph('shut'));
  const chips = h('div', { class: 'kn-chips' });
  const leave = (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation();
    /** @type {HTMLElement} */ (event.target).blur(); // what was being written is written
    shut();
  };
  const el = h('section', { class: 'kn-record', hidden: true, 'aria-label': 'Clip details', on: { keydown: (event) => { if (event.key === 'Escape') leave(event); } } },
    h('div', { class: 'kn-record-media' }, video, still, why, chain), h('div', { class: 'kn-record-text' }, close, prompt, facts, scores, stars.el, tags, chips, note));

  const paint = (/** @type {Tile|null} */ next) => {
    const other = next?.id !== tile?.id;
    tile = next;
    el.hidden = !next;
    if (!next) { video.pause(); video.removeAttribute('src'); return; }
    prompt.textContent = next.prompt;
    facts.textContent = [next.figures, next.price, next.when, next.id, next.badge].filter(Boolean).join(' · ');
    scores.hidden = !next.scores.length;
    scores.textContent = next.scores.join(' · ');
    stars.paint(next.stars);
    chips.replaceChildren(...next.tags.map((tag) => h('button', { type: 'button', class: 'kn-chip-button', text: `#${tag}`, title: 'Show all clips with this tag', on: { click: () => searchTag(tag) } })));
    if (other || tags !== document.activeElement) tags.value = next.tags.join(', ');
    if (other || note !== document.activeElement) note.value = next.note;
    if (!other) return;
    use.hidden = !next.clip;
    video.hidden = !next.clip || next.image;
    still.hidden = !next.image;
    useWords.textContent = next.image ? 'Use as start frame' : 'Use this frame as start frame';
    told.textContent = '';
    video.poster = next.poster;
    video.style.aspectRatio = String(next.shape);
    why.textContent = next.clip ? '' : [next.status_text, next.reason].filter(Boolean).join(': ');
    video.removeAttribute('src');
    if (next.image) still.src = next.poster; else still.removeAttribute('src');
    if (next.clip) bring(next.id).then((url) => { if (tile?.id === next.id) (next.image ? still : video).src = url; }, (error) => { if (tile?.id === next.id) why.textContent = error.message; });
  };
  return { el, paint, get id() { return tile?.id ?? null; }, focus: () => close.focus({ preventScroll: true }) };
}

/** `a, b` as a list, each once. @param {string} text @returns {string[]} */
export function tagsIn(text) {
  return [...new Set(text.split(',').map((tag) => tag.trim().replace(/^#+/, '')).filter(Boolean))];
}
