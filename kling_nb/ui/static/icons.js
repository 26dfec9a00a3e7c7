/** Line drawings in a box of 16 by 16. */
const ICONS = {
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  left: 'M10 3L5 8l5 5',
  right: 'M6 3l5 5-5 5',
  copy: 'M6 6h7v7H6zM3 10V3h7',
  image: 'M2 3h12v10H2zM2 11l4-4 3 3 2-2 3 3M10.5 6h.01',
  link: 'M7 9a3 3 0 004 0l2-2a3 3 0 00-4-4L8 4M9 7a3 3 0 00-4 0L3 9a3 3 0 004 4l1-1',
  grip: 'M6 4h.01M6 8h.01M6 12h.01M10 4h.01M10 8h.01M10 12h.01',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  fold: 'M6 4l4 4-4 4',
  stop: 'M8 2a6 6 0 100 12A6 6 0 008 2zM6 6h4v4H6z',
  script: 'M3.5 2.5h9v11h-9zM5.5 5.5h5M5.5 8h5M5.5 10.5h3',
  help: 'M8 2a6 6 0 100 12A6 6 0 008 2zM6.2 6.3a1.9 1.9 0 113 1.5c-.8.5-1.2.8-1.2 1.6M8 11.6v.01',
  undo: 'M3.5 6.5H10a3.5 3.5 0 010 7H6M6.5 3.5l-3 3 3 3',
  redo: 'M12.5 6.5H6a3.5 3.5 0 000 7h4M9.5 3.5l3 3-3 3',
  split: 'M8 2v12M2.5 5.5h3v5h-3zM10.5 5.5h3v5h-3z',
  bookmark: 'M4.5 2.5h7v11L8 10.5l-3.5 3z',
  pencil: 'M3 13l.7-2.9 7.2-7.2 2.2 2.2-7.2 7.2z',
  bin: 'M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5',
  search: 'M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM10.3 10.3l3.2 3.2',
  video: 'M2.5 3h11v10h-11zM5.5 3v10M10.5 3v10M2.5 6.3h3M2.5 9.7h3M10.5 6.3h3M10.5 9.7h3',
  chevron: 'M4.5 6.5L8 10l3.5-3.5',
  warn: 'M8 2.5L14.5 13.5h-13zM8 6.5v3M8 11.6v.01',
  play: 'M4.5 2.8v10.4L13 8z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  'frame-back': 'M11.5 3.2v9.6L4.6 8zM3.4 3v10',
  'frame-forward': 'M4.5 3.2v9.6L11.4 8zM12.6 3v10',
  loop: 'M3 7.5V6a2 2 0 012-2h7M10 2l2 2-2 2M13 8.5V10a2 2 0 01-2 2H4M6 14l-2-2 2-2',
  sound: 'M2.5 6v4H5l3.5 3V3L5 6zM11 6a3 3 0 010 4M12.6 4a6 6 0 010 8',
  mute: 'M2.5 6v4H5l3.5 3V3L5 6zM11 6.2l3.4 3.6M14.4 6.2L11 9.8',
  star: 'M8 1.9l1.9 3.9 4.2.6-3 3 .7 4.2L8 11.6l-3.8 2 .7-4.2-3-3 4.2-.6z',
  again: 'M12.8 6.3A5 5 0 104 11.6M13 2.6v3.9H9.2',
  side: 'M2 3.5h5v9H2zM9 3.5h5v9H9z',
  wipe: 'M2 3.5h12v9H2zM8 1.5v13M5.2 6.4L3.8 8l1.4 1.6M10.8 6.4L12.2 8l-1.4 1.6',
  grid: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  download: 'M8 2.5v7.5M4.5 7L8 10.5 11.5 7M3 13.5h10',
  continue: 'M2.5 3v10M5.5 8h8M10.5 5l3 3-3 3',
  chain: 'M2.5 3.5h7v9h-7zM12 5.5l2.5 2.5-2.5 2.5M7 8h7',
};

/** @typedef {keyof typeof ICONS} IconName */

/** An icon, drawn in lines or, with `filled`, as a shape. @param {IconName} name @returns {SVGElement} */
export function icon(name, filled = false) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', `kn-icon kn-icon-${name}${filled ? ' kn-icon-filled' : ''}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}
