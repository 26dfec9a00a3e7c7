import gallery from '../../ui/static/gallery.js'; // served there, with what it imports
import { makeModel } from './model.js';

const place = /** @type {HTMLElement} */ (document.getElementById('gallery'));
const fail = (/** @type {string} */ reason) => { place.textContent = reason; };
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => { document.body.dataset.jpThemeLight = String(!dark.matches); };
dark.addEventListener('change', follow);
follow();

const socket = new WebSocket(new URL('messages', location.href).href.replace(/^http/, 'ws'));
socket.onclose = () => fail('The connection was lost. Start python -m kling_nb serve again, and open the address that it prints.');
const model = makeModel({ socket, fail });
await model.started;
gallery.render({ model: /** @type {any} */ (model), el: place });
