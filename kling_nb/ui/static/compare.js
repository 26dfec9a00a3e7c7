import { alertBox } from './alertbox.js';
import { clipCache } from './clipcache.js';
import { blockShortcuts } from './dom.js';
import { watchKernel } from './liveness.js';
import { panelLink } from './panellink.js';
import { comparePlayer } from './player.js';

/** `kn.compare`: a player in a cell. @param {Rendered} view */
function renderCompare({ model, el }) {
  blockShortcuts(el);
  el.classList.add('kn', 'kn-compare-view');
  const cache = clipCache(model);
  const link = panelLink(model);
  const alert = alertBox(model);
  const player = comparePlayer(/** @type {Comparison} */ (model.get('comparison')), cache.get, link.useFrame);
  el.append(player.el, alert.el);
  const watch = watchKernel(model, el);
  return () => { watch.close(); player.close(); cache.close(); link.close(); alert.close(); };
}

export default { render: renderCompare };
