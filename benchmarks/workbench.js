// Run inside the page by `workbench.py`; one expression, so that `evaluate` can pick a function of it.
({
  /** Runs a cell whose output is empty; gives the ms until something in it is there, whole and painted. */
  async shown([cell, selector, words]) {
    const notebook = window.jupyterapp.shell.currentWidget;
    await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
    await new Promise((done) => setTimeout(done, 300));
    notebook.content.activeCellIndex = cell;
    const root = notebook.content.widgets[cell].node;
    const frame = () => new Promise(requestAnimationFrame);
    const whole = (el) => el.getClientRects().length && (!el.matches('img') || (el.complete && el.naturalWidth > 0));
    const there = () => {
      const found = [...root.querySelectorAll(selector)];
      return found.length && whole(found[0]) && (!words || found.some((el) => el.textContent.includes(words)));
    };
    const begin = performance.now();
    const ran = window.jupyterapp.commands.execute('notebook:run-cell');
    while (!there()) {
      if (performance.now() - begin > 60000) throw new Error(`${selector} did not come: ${root.innerText.slice(-400)}`);
      await frame();
    }
    await frame(); // it stands on the screen
    const took = performance.now() - begin;
    await ran;
    return took;
  },

  /** Notes the ms from each key in a field to the moment at which a button is enabled or disabled for it. */
  watch([cell, field, button]) {
    const root = window.jupyterapp.shell.currentWidget.content.widgets[cell].node;
    const waits = (window.__waits = []);
    let pressed = null;
    root.querySelector(field).addEventListener('keydown', (event) => { pressed = event.timeStamp; }, true);
    new MutationObserver(() => {
      if (pressed != null) waits.push(performance.now() - pressed);
      pressed = null;
    }).observe(root.querySelector(button), { attributes: true, attributeFilter: ['disabled'] });
    root.querySelector(field).focus();
  },

  /** Starts the plain videos of a cell together, once all of them can play. */
  async play([cell]) {
    const videos = [...window.jupyterapp.shell.currentWidget.content.widgets[cell].node.querySelectorAll('video')];
    await Promise.all(videos.map((video) => video.readyState > 2 || new Promise((done) => { video.oncanplay = done; })));
    await Promise.all(videos.map((video) => { video.loop = true; return video.play(); }));
  },

  /** Gives how far apart the videos of a cell are while they play, in ms, at each frame of the screen, sorted. */
  async drift([cell, selector, seconds]) {
    const root = window.jupyterapp.shell.currentWidget.content.widgets[cell].node;
    const videos = [...root.querySelectorAll(selector)];
    const drifts = [];
    const begin = performance.now();
    let since = null;
    while (since == null || performance.now() - since < 1000 * seconds) {
      if (performance.now() - begin > 60000) throw new Error('they do not play');
      await new Promise(requestAnimationFrame);
      const times = videos.map((video) => video.currentTime);
      if (Math.min(...times) < 0.5 || videos.some((video) => video.paused)) continue;
      since ??= performance.now();
      drifts.push(1000 * (Math.max(...times) - Math.min(...times)));
    }
    return drifts.sort((a, b) => a - b);
  },

  /** Scrolls a grid to its end; gives the ms between the frames of the screen meanwhile, sorted. */
  async scrolled([cell, selector, steps]) {
    const grid = window.jupyterapp.shell.currentWidget.content.widgets[cell].node.querySelector(selector);
    const gaps = [];
    let before = await new Promise(requestAnimationFrame);
    for (let step = 1; step <= steps; step += 1) {
      grid.scrollTop = (step / steps) * grid.scrollHeight;
      const now = await new Promise(requestAnimationFrame);
      gaps.push(now - before);
      before = now;
    }
    return gaps.sort((a, b) => a - b);
  },
})
