import { alertBox } from './alertbox.js';
import { clipRoom } from './cliproom.js';
import { handover } from './handover.js';
import { ownKeys } from './dom.js';
import { comparePlayer } from './player.js';

/** `kn.compare`: a player in a cell. @param {Rendered} view */
function renderCompare({ model, el }) {
  ownKeys(el);
  el.classList.add('kn', 'kn-compare-view');
  const room = clipRoom(model);
  const hands = handover(model);
  const alert = alertBox(model);
  const player = comparePlayer(/** @type {Comparison} */ (model.get('comparison')), room.get, hands.hand);
  el.append(player.el, alert.el);
  return () => { player.close(); room.close(); hands.close(); alert.close(); };
}

export default { render: renderCompare };
