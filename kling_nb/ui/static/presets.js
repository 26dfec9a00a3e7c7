import { keptMenu, nameLine } from './kept.js';

/** The presets: what is on the screen is kept under a name, and comes back from there. @param {Pick<Shared, 'model'|'desk'>} shared */
export function presetMenu({ model, desk }) {
  const line = nameLine({ label: 'Preset name', away: () => menu.shut(), words: (name) => (name && menu.names().includes(name) ? 'Replace' : 'Save'),
    act: (name) => model.send({ kind: 'save', type: 'preset', name, draft: desk.draft }) });
  const menu = keptMenu({ model, what: 'preset', title: 'Presets', none: 'No presets yet. A preset is a saved request with its images.', end: line.el,
    take: (name) => model.send({ kind: 'load', name }), opened: () => line.input.focus() });
  return menu;
}
