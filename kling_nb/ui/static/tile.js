import { dragsClip } from './clipdrag.js';
import { actionButton, h } from './dom.js';
import { icon } from './icons.js';
import { starRow } from './stars.js';

const HOVER_DELAY = 160; // ms before a clip is fetched: a pointer that only passes over fetches nothing

/** One tile of the gallery, reused for other records as the grid scrolls. @param {TileActions} acts */
export function galleryTile({ loadClip, pick, open, rate, reducedMotion }) {
  /** @type {Tile|undefined} */
  let tile;
  let timer = 0;
  const poster = h('img', { class: 'kn-poster', alt: '', decoding: 'async', draggable: 'false' });
  const status = h('span', { class: 'kn-poster-text' });
  const badge = h('span', { class: 'kn-on-poster kn-tile-badge' });
  const length = h('span', { class: 'kn-tile-length' });
  const mark = actionButton('select', (event) => { event.stopPropagation(); if (tile) pick(tile); }, { class: 'kn-pick', tabindex: '-1', role: 'checkbox' }, icon('check'));
  const face = h('div', { class: 'kn-tile-face' }, poster, status, badge, mark);
  const stars = starRow((count) => { if (tile) rate(tile, count); });
  const tags = h('span', { class: 'kn-tile-tags' });
  const prompt = h('div', { class: 'kn-tile-prompt' });
  const scores = h('div', { class: 'kn-tile-scores' });
  const el = h('div', { class: 'kn-card', role: 'listitem', tabindex: '-1' }, face, h('div', { class: 'kn-tile-line' }, stars.el, tags, length), prompt, scores);
  /** @type {HTMLVideoElement|null} */
  let video = null;

  const stop = () => {
    clearTimeout(timer);
    video?.remove();
    video = null;
  };
  const start = () => {
    stop();
    if (!tile?.clip || tile.image || reducedMotion()) return;
    const { id } = tile;
    timer = setTimeout(async () => {
      try {
        const src = await loadClip(id);
        if (tile?.id !== id || !(el.matches(':hover') || el.contains(document.activeElement))) return;
        video = h('video', { class: 'kn-poster kn-moving', loop: true, playsinline: true, 'aria-hidden': 'true' });
        video.muted = true;
        video.src = src;
        face.insertBefore(video, badge);
        await video.play();
      } catch { stop(); } // the clip is missing or the pointer has left: the poster stays
    }, HOVER_DELAY);
  };
  dragsClip(face, () => (tile?.clip ? { id: tile.id, title: tile.prompt.slice(0, 60), frame: tile.image ? 0 : null } : null));
  el.addEventListener('pointerenter', start);
  el.addEventListener('pointerleave', () => { if (!el.contains(document.activeElement)) stop(); });
  el.addEventListener('focusin', (event) => { if (event.target === el && el.matches(':focus-visible')) start(); });
  el.addEventListener('focusout', () => { if (!el.matches(':hover')) stop(); });
  el.addEventListener('click', () => { if (tile) open(tile); });

  return { el, stop, index: -1,
    get tile() { return tile; },
    /** @param {number} x @param {number} y @param {number} width */
    place(x, y, width) { el.style.transform = `translate(${x}px, ${y}px)`; el.style.width = `${width}px`; },
    /** @param {Tile|undefined} next @param {{index: number, count: number, picked: boolean, opened: boolean}} state */
    paint(next, { index, count, picked, opened }) {
      if (next?.id !== tile?.id) stop();
      const before = tile;
      tile = next;
      el.dataset.record = next?.id ?? '';
      el.classList.toggle('kn-blank', !next);
      el.classList.toggle('kn-picked', picked);
      el.classList.toggle('kn-opened', opened);
      el.setAttribute('aria-setsize', String(count));
      el.setAttribute('aria-posinset', String(index + 1));
      mark.setAttribute('aria-checked', String(picked));
      if (next === before && next) return;
      poster.hidden = !next?.poster;
      if (next?.poster) { if (poster.getAttribute('src') !== next.poster) poster.src = next.poster; } else poster.removeAttribute('src');
      status.textContent = next && !next.poster ? next.status_text : '';
      status.title = next?.reason ?? '';
      status.dataset.status = next?.status ?? '';
      badge.textContent = next?.badge ?? '';
      badge.hidden = !next?.badge;
      length.textContent = next?.length ?? '';
      length.hidden = !next?.clip || !next.length;
      stars.paint(next?.stars ?? 0);
      tags.textContent = next ? [...next.tags.map((tag) => `#${tag}`), next.note ? '✎' : ''].filter(Boolean).join(' ') : '';
      prompt.textContent = next?.prompt ?? '';
      scores.textContent = scores.title = (next?.scores ?? []).join(' · ');
      el.setAttribute('aria-label', next ? `${next.prompt.slice(0, 120)} – ${next.status_text}${next.stars ? `, ${next.stars} stars` : ''}` : 'Loading');
      mark.setAttribute('aria-label', next ? `Select ${next.id}` : 'Select');
    } };
}
