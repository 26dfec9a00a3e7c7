import { h } from './dom.js';
import { glyph } from './glyphs.js';
import { starRow } from './stars.js';

const STILL = 160; // ms of rest before a clip is fetched: a pointer that only passes over fetches nothing

/** One poster of the gallery, used for one record after the other as the grid is scrolled. @param {TileActs} acts */
export function galleryTile({ bring, pick, open, rate, calm }) {
  /** @type {Tile|undefined} */
  let tile;
  let waiting = 0;
  const picture = h('img', { class: 'kn-poster', alt: '', decoding: 'async', draggable: 'false' });
  const words = h('span', { class: 'kn-poster-text' });
  const badge = h('span', { class: 'kn-on-poster kn-tile-badge' });
  const length = h('span', { class: 'kn-on-poster kn-tile-length' });
  const mark = h('button', { type: 'button', class: 'kn-pick', tabindex: '-1', role: 'checkbox', on: { click: (event) => { event.stopPropagation(); if (tile) pick(tile); } } }, glyph('tick'));
  const face = h('div', { class: 'kn-tile-face' }, picture, words, badge, length, mark);
  const stars = starRow((count) => { if (tile) rate(tile, count); });
  const noted = h('span', { class: 'kn-tile-tags' });
  const prompt = h('div', { class: 'kn-tile-prompt' });
  const scores = h('div', { class: 'kn-tile-scores' });
  const el = h('div', { class: 'kn-card', role: 'listitem', tabindex: '-1' }, face, h('div', { class: 'kn-tile-line' }, stars.el, noted), prompt, scores);
  /** @type {HTMLVideoElement|null} */
  let video = null;

  const stop = () => {
    clearTimeout(waiting);
    video?.remove();
    video = null;
  };
  const start = () => {
    stop();
    if (!tile?.clip || tile.image || calm()) return;
    const mine = tile.id;
    waiting = setTimeout(async () => {
      try {
        const src = await bring(mine);
        if (tile?.id !== mine || !(el.matches(':hover') || el.contains(document.activeElement))) return;
        video = h('video', { class: 'kn-poster kn-moving', loop: true, playsinline: true, 'aria-hidden': 'true' });
        video.muted = true;
        video.src = src;
        face.insertBefore(video, badge);
        await video.play();
      } catch { stop(); } // a clip that is gone, or a pointer that has left: the poster stays
    }, STILL);
  };
  el.addEventListener('pointerenter', start);
  el.addEventListener('pointerleave', () => { if (!el.contains(document.activeElement)) stop(); });
  el.addEventListener('focusin', (event) => { if (event.target === el && el.matches(':focus-visible')) start(); });
  el.addEventListener('focusout', () => { if (!el.matches(':hover')) stop(); });
  el.addEventListener('click', () => { if (tile) open(tile); });

  return { el, stop, index: -1,
    get tile() { return tile; },
    /** @param {number} x @param {number} y @param {number} width */
    place(x, y, width) { el.style.transform = `translate(${x}px, ${y}px)`; el.style.width = `${width}px`; },
    /** @param {Tile|undefined} next @param {{index: number, count: number, picked: boolean, opened: boolean}} how */
    paint(next, { index, count, picked, opened }) {
      const other = next?.id !== tile?.id;
      if (other) stop();
      const before = tile;
      tile = next;
      el.classList.toggle('kn-blank', !next);
      el.classList.toggle('kn-picked', picked);
      el.classList.toggle('kn-opened', opened);
      el.setAttribute('aria-setsize', String(count));
      el.setAttribute('aria-posinset', String(index + 1));
      mark.setAttribute('aria-checked', String(picked));
      if (next === before && next) return;
      picture.hidden = !next?.poster;
      if (next?.poster) { if (picture.getAttribute('src') !== next.poster) picture.src = next.poster; } else picture.removeAttribute('src');
      words.textContent = next && !next.poster ? next.status_text : '';
      words.title = next?.reason ?? '';
      words.dataset.status = next?.status ?? '';
      badge.textContent = next?.badge ?? '';
      badge.hidden = !next?.badge;
      length.textContent = next?.length ?? '';
      length.hidden = !next?.clip || !next.length;
      stars.paint(next?.stars ?? 0);
      noted.textContent = next ? [...next.tags.map((tag) => `#${tag}`), next.note ? '✎' : ''].filter(Boolean).join(' ') : '';
      prompt.textContent = next?.prompt ?? '';
      scores.textContent = scores.title = (next?.scores ?? []).join(' · ');
      el.setAttribute('aria-label', next ? `${next.prompt.slice(0, 120)} – ${next.status_text}${next.stars ? `, ${next.stars} stars` : ''}` : 'Loading');
      mark.setAttribute('aria-label', next ? `Select ${next.id}` : 'Select');
    } };
}
