/**
 * Show a notification of the application when a clip is done or has failed.
 * @param {{state: State, server: Server, Notification: any, wanted: () => boolean, cells: Cells}} spec
 */
export function notifyOfEnds({ state, server, Notification, wanted, cells }) {
  state.onEnd((clip) => {
    if (!wanted() || clip.status === 'cancelled') return;
    const about = clip.prompt.length > 90 ? `${clip.prompt.slice(0, 89)}…` : clip.prompt;
    const where = clip.notebook ? ` (${clip.notebook})` : '';
    if (clip.status !== 'succeeded') {
      Notification.error(`Failed: ${about}${where}. ${clip.reason}`, { autoClose: 15_000 });
      return;
    }
    const actions = [{ label: 'Put into notebook', callback: () => { cells.show(clip); } }];
    const id = Notification.success(`Done: ${about}${where}`, { autoClose: 10_000, actions, data: { kling_nb: clip.id } });
    showPoster(id, clip.poster && server.media(clip.poster, clip.log), about);
  });
}

/** Add the poster to the notification's element: the application accepts only text. @param {string} id @param {string} src @param {string} text */
function showPoster(id, src, text) {
  if (!src) return;
  requestAnimationFrame(() => setTimeout(() => {
    const toast = [...document.querySelectorAll('.Toastify__toast')].find((each) => each.id === id || each.textContent?.includes(text));
    const body = toast?.querySelector('.jp-toast-message, .Toastify__toast-body') ?? toast;
    if (!body || body.querySelector('.knl-toast')) return;
    const image = document.createElement('img');
    image.className = 'knl-toast';
    image.alt = '';
    image.src = src;
    body.prepend(image);
  }, 100));
}
