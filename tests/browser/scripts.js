// Run in the page by `screen.py`; one expression, so that `evaluate` can select a function.
({
  /** Play a video, muted; returns its width and two of its times. */
  async played(video) {
    const until = async (condition, what) => {
      const end = performance.now() + 15000;
      while (!condition()) {
        if (performance.now() > end) throw new Error(`${what}: ${video.currentSrc} ${video.error?.message ?? ''}`);
        await new Promise((done) => setTimeout(done, 30));
      }
    };
    video.muted = true;
    await video.play();
    await until(() => video.videoWidth > 0, 'the video has no size');
    const first = video.currentTime;
    await until(() => video.currentTime > first + 0.2, 'the video does not advance');
    const second = video.currentTime;
    video.pause();
    return [video.videoWidth, first, second];
  },

  /** Return the contrast ratio of an element's text, and the visible colours of text and background. */
  contrast(element) {
    const parse = (text) => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top, alpha, ground) => ground.map((value, i) => top[i] * alpha + value * (1 - alpha));
    const chain = [];
    for (let node = element; node; node = node.parentElement) chain.unshift(node);
    let ground = [255, 255, 255];
    let opacity = 1;
    for (const node of chain) {
      const style = getComputedStyle(node);
      opacity *= Number(style.opacity);
      const tint = parse(style.backgroundColor);
      ground = over(tint, tint[3] * opacity, ground);
    }
    const colour = parse(getComputedStyle(element).color);
    const text = over(colour, colour[3] * opacity, ground);
    const light = (rgb) => {
      const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [high, low] = [light(text), light(ground)].sort((a, b) => b - a);
    const shown = (rgb) => `rgb(${rgb.map(Math.round).join(', ')})`;
    return [(high + 0.05) / (low + 0.05), shown(text), shown(ground)];
  },
})
