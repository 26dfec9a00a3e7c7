import { button, clock, dollars, h } from './dom.js';

const MOST_COMPARED = 9;
/** @typedef {(thing: {notebook: string, by: string, log: string}) => string} Origin */

/**
 * The sidebar: jobs of all notebooks, spending, and the newest clips.
 * @param {{state: State, server: Server, cells: Cells, drag: (clip: Clip, event: PointerEvent, image: HTMLElement) => void, acts: {create: () => void, gallery: (log: string) => void}, notice: () => string}} spec
 */
export function makeSidebar({ state, server, cells, drag, acts, notice }) {
  const notices = h('div', { class: 'knl-notice', role: 'status' });
  const errors = h('div');
  const jobs = h('ul', { class: 'knl-jobs' });
  const money = h('div', { class: 'knl-money' });
  const grid = h('div', { class: 'knl-clips', role: 'list' });
  const empty = h('p', { class: 'knl-empty' });
  const chosen = h('div', { class: 'knl-chosen' });
  const sections = {
    jobs: section('Under way', jobs), money: section('Spending', money), clips: section('Newest clips', empty, grid),
  };
  const el = h('div', { class: 'knl knl-sidebar' },
    h('div', { class: 'knl-head' }, h('h2', {}, 'Kling'), button('new', 'New notebook', acts.create), button('gallery', 'Gallery', () => acts.gallery(''))),
    notices, errors, sections.jobs, sections.money, sections.clips, chosen);

  /** @type {Map<string, Clip>} */
  const selected = new Map();
  let playing = '';
  /** @type {Map<string, ReturnType<typeof clipTile>>} */
  const tiles = new Map();
  /** @type {Set<string>} */
  const stopping = new Set();

  /** @type {Map<string, ReturnType<typeof jobRow>>} */
  const rows = new Map();

  /** The notebook of a job, and its author in a team's log. @type {Origin} */
  const origin = ({ notebook, by, log }) => [notebook.replace(/\.ipynb$/, ''), state.logs.find((each) => each.name === log)?.team && by].filter(Boolean).join(' · ');
  const say = (/** @type {string} */ text) => { notices.textContent = text; notices.hidden = !text; };
  const cancel = async (/** @type {Job} */ job) => {
    stopping.add(job.id);
    paintJobs();
    try { await server.post('cancel', { id: job.id, log: job.log }); say(''); } catch (error) {
      stopping.delete(job.id);
      say(error.message);
      paintJobs();
    }
  };

  const paintJobs = () => {
    sections.jobs.hidden = !state.jobs.length;
    const ids = new Set(state.jobs.map((job) => job.id));
    for (const [id, row] of rows) if (!ids.has(id)) { row.el.remove(); rows.delete(id); stopping.delete(id); }
    for (const job of state.jobs) {
      const row = rows.get(job.id) ?? jobRow(cancel, origin);
      if (!rows.has(job.id)) { rows.set(job.id, row); jobs.append(row.el); }
      row.paint(job, stopping.has(job.id));
    }
  };
  const paintMoney = () => {
    const many = state.logs.length > 1;
    const rows = state.logs.flatMap((log) => {
      const limits = log.limits.some((limit) => limit.label === 'Today') ? log.limits : [{ label: 'Today', limit: '', spent: log.today }, ...log.limits];
      const whose = log.team ? ' (team)' : '';
      return limits.filter((limit) => limit.limit || Number(limit.spent) || !many).map((limit) => moneyRow({ ...limit, label: limit.label + whose }, many ? log.name.replace(/(.)\/kling_log$/, '$1') : ''));
    });
    errors.replaceChildren(...state.logs.filter((log) => log.error).map((log) => h('p', { class: 'knl-error' }, h('b', {}, log.name), ` ${log.error}`)));
    money.replaceChildren(...rows);
    sections.money.hidden = !rows.length;
  };
  const paintClips = () => {
    const clips = state.clips;
    empty.hidden = clips.length > 0;
    empty.textContent = state.jobs.length ? 'The first clip appears here.' : 'No clips yet. “New notebook” opens a notebook with the panel in it.';
    const ids = new Set(clips.map((clip) => clip.id));
    for (const [id, tile] of tiles) if (!ids.has(id)) { tile.el.remove(); tiles.delete(id); }
    let here = grid.firstElementChild;
    for (const clip of clips) {
      const tile = tiles.get(clip.id) ?? clipTile(clip, { server, cells, drag, pick, play, origin });
      tiles.set(clip.id, tile);
      if (tile.el === here) here = here.nextElementSibling;
      else grid.insertBefore(tile.el, here);
      tile.paint({ playing: playing === clip.id, picked: selected.has(clip.id) });
    }
    chosen.hidden = !selected.size;
    const compare = button('compare', 'Compare', () => cells.compare([...selected.values()]), { disabled: selected.size < 2 });
    chosen.replaceChildren(h('span', {}, `${selected.size} selected`), compare, button('clear', 'Clear', () => { selected.clear(); paintClips(); }));
  };
  const play = (/** @type {string} */ id) => { playing = playing === id ? '' : id; paintClips(); };
  const pick = (/** @type {Clip} */ clip) => {
    if (selected.has(clip.id)) selected.delete(clip.id);
    else if (selected.size < MOST_COMPARED) selected.set(clip.id, clip);
    paintClips();
  };

  const paint = () => { say(notice()); paintJobs(); paintMoney(); paintClips(); };
  state.onChange(paint);
  paint();
  const timer = setInterval(() => { if (state.jobs.length && el.checkVisibility()) paintJobs(); }, 1000);
  return { el, close: () => clearInterval(timer) };
}

/** @param {string} title @param {...Node} children */
const section = (title, ...children) => h('section', { class: 'knl-section' }, h('h3', {}, title), ...children);

/** One job, with its state and time. @param {(job: Job) => void} cancel @param {Origin} origin */
function jobRow(cancel, origin) {
  /** @type {Job|undefined} */
  let shown;
  const title = h('div', { class: 'knl-title' });
  const line = h('div', { class: 'knl-soft' });
  const [where, cost] = [h('span'), h('span')];
  const stop = button('cancel', '✕', () => { if (shown) cancel(shown); }, { class: 'knl-button knl-stop', title: 'Cancel' });
  const el = h('li', { class: 'knl-job' }, h('span', { class: 'knl-dot' }), h('div', { class: 'knl-job-text' }, title, line, h('div', { class: 'knl-soft knl-pair' }, where, cost)), stop);
  return {
    el,
    /** @param {Job} job @param {boolean} stopping */
    paint(job, stopping) {
      shown = job;
      const now = Date.now() / 1000;
      const left = job.expected && job.expected > now ? ` · about ${clock(job.expected - now)} left` : '';
      el.dataset.job = job.id;
      el.dataset.status = job.status;
      title.textContent = title.title = job.title;
      line.textContent = `${stopping ? 'Cancelling' : job.text} · ${clock(now - job.since)}${left}`;
      where.textContent = where.title = origin(job);
      cost.textContent = job.preview ? 'preview' : job.price;
      stop.disabled = stopping;
      stop.setAttribute('aria-label', `Cancel ${job.title}`);
    },
  };
}

/** @param {Limit} limit @param {string} log */
function moneyRow({ label, limit, spent }, log) {
  const share = limit ? Math.min(1, Number(spent) / Math.max(Number(limit), 1e-9)) : 0;
  const text = limit ? `${dollars(spent)} of ${dollars(limit)}` : dollars(spent);
  return h('div', { class: 'knl-limit' },
    h('div', {}, h('span', {}, label), h('b', {}, text)),
    limit && h('div', { class: `knl-bar${share >= 1 ? ' knl-full' : ''}`, role: 'presentation' }, h('i', { style: `width:${(100 * share).toFixed(1)}%` })),
    log && h('div', { class: 'knl-soft' }, log));
}

/**
 * One clip: its poster, which a click replaces with the player.
 * @param {Clip} clip
 * @param {{server: Server, cells: Cells, drag: (clip: Clip, event: PointerEvent, image: HTMLElement) => void, pick: (clip: Clip) => void, play: (id: string) => void, origin: Origin}} acts
 */
function clipTile(clip, { server, cells, drag, pick, play, origin }) {
  const poster = h('img', { class: 'knl-poster', alt: '', draggable: 'false', loading: 'lazy', decoding: 'async', src: server.media(clip.poster, clip.log) });
  const face = h('button', { type: 'button', class: 'knl-face', 'aria-label': `Play ${clip.prompt}`, style: `aspect-ratio:${clip.shape}` }, poster,
    clip.length && h('span', { class: 'knl-tag' }, clip.length));
  const mark = h('input', { type: 'checkbox', class: 'knl-pick', 'aria-label': `Select ${clip.prompt}`, on: { change: () => pick(clip) } });
  const title = h('div', { class: 'knl-title knl-grip', title: clip.prompt }, clip.prompt);
  const shut = button('close', '✕', () => play(clip.id), { class: 'knl-button knl-stop', 'aria-label': 'Close', title: 'Close' });
  const buttons = h('div', { class: 'knl-buttons' },
    button('insert', 'Put into notebook', () => cells.show(clip)), button('panel', 'Open in panel', () => cells.panel(clip)),
    !clip.image && button('continue', 'Continue from last frame', () => cells.proceed(clip)));
  const el = h('div', { class: 'knl-clip', role: 'listitem', 'data-record': clip.id }, h('div', { class: 'knl-screen' }, face, mark), h('div', { class: 'knl-line' }, title, shut),
    h('div', { class: 'knl-soft knl-pair' }, h('span', { title: clip.notebook }, origin(clip)), h('span', {}, clip.badge || clip.price)), buttons);
  /** @type {HTMLVideoElement|null} */
  let video = null;

  // A second click within this time is a double click: it puts the clip into the notebook instead of playing it.
  let timer = 0;
  face.addEventListener('click', (event) => {
    clearTimeout(timer);
    if (event.detail > 1) cells.show(clip);
    else timer = setTimeout(() => play(clip.id), event.detail ? 220 : 0);
  });
  const begin = (/** @type {PointerEvent} */ down) => {
    if (down.button !== 0) return;
    const move = (/** @type {PointerEvent} */ event) => {
      if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 6) return;
      stop();
      drag(clip, event, poster);
    };
    const stop = () => { document.removeEventListener('pointermove', move); document.removeEventListener('pointerup', stop); };
    document.addEventListener('pointermove', move);
    document.addEventListener('pointerup', stop);
  };
  face.addEventListener('pointerdown', begin);
  title.addEventListener('pointerdown', begin);
  el.addEventListener('dragstart', (event) => event.preventDefault()); // the browser would drag selected text instead
  return {
    el,
    /** @param {{playing: boolean, picked: boolean}} now */
    paint({ playing, picked }) {
      mark.checked = picked;
      el.classList.toggle('knl-open', playing);
      buttons.hidden = shut.hidden = !playing;
      face.hidden = playing && !clip.image;
      if (playing && !clip.image && !video) {
        video = h('video', { class: 'knl-video', controls: true, loop: true, playsinline: true, poster: poster.src, src: server.media(clip.media, clip.log), style: `aspect-ratio:${clip.shape}` });
        video.addEventListener('dblclick', () => cells.show(clip));
        face.before(video);
        video.play().catch(() => {}); // if the page may not play sound without a click, show the controls
      } else if (!playing && video) {
        video.remove();
        video = null;
      }
    },
  };
}
