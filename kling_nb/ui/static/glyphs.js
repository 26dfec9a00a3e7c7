const GLYPHS = {
  play: 'M4.5 2.8v10.4L13 8z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  'step-back': 'M11.5 3.2v9.6L4.6 8zM3.4 3v10',
  'step-on': 'M4.5 3.2v9.6L11.4 8zM12.6 3v10',
  repeat: 'M3 7.5V6a2 2 0 012-2h7M10 2l2 2-2 2M13 8.5V10a2 2 0 01-2 2H4M6 14l-2-2 2-2',
  loud: 'M2.5 6v4H5l3.5 3V3L5 6zM11 6a3 3 0 010 4M12.6 4a6 6 0 010 8',
  mute: 'M2.5 6v4H5l3.5 3V3L5 6zM11 6.2l3.4 3.6M14.4 6.2L11 9.8',
  find: 'M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM10.3 10.3l3.4 3.4',
  star: 'M8 1.9l1.9 3.9 4.2.6-3 3 .7 4.2L8 11.6l-3.8 2 .7-4.2-3-3 4.2-.6z',
  bin: 'M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M7 7v3.6M9 7v3.6',
  again: 'M12.8 6.3A5 5 0 104 11.6M13 2.6v3.9H9.2',
  side: 'M2 3.5h5v9H2zM9 3.5h5v9H9z',
  wipe: 'M2 3.5h12v9H2zM8 1.5v13M5.2 6.4L3.8 8l1.4 1.6M10.8 6.4L12.2 8l-1.4 1.6',
  chain: 'M2.5 3.5h7v9h-7zM12 5.5l2.5 2.5-2.5 2.5M7 8h7',
  tick: 'M3.4 8.4l3 3 6.2-6.8',
  shut: 'M4 4l8 8M12 4l-8 8',
};

/** A drawing of 16 by 16; `full` fills it. @param {keyof typeof GLYPHS} name @returns {SVGElement} */
export function glyph(name, full = false) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', `kn-icon kn-glyph${full ? ' kn-glyph-full' : ''}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', GLYPHS[name]);
  svg.append(path);
  return svg;
}
