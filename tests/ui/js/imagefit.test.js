import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageName, withImage } from '../../../kling_nb/ui/static/imagefit.js';

test('an image replaces another one everywhere it is used, and nowhere else', () => {
  const specs = [['prompt', 'prompt'], ['input_image', 'images'], ['start_image_url', 'image'], ['tail_image_url', 'image'], ['elements', 'elements']].map(([name, kind]) => ({ name, kind }));
  const draft = { prompt: 'a', input_image: ['a', 'b', 'a'], start_image_url: 'b', tail_image_url: null,
    elements: [{ id: '1', frontal_image_url: 'a', reference_image_urls: ['c', 'a'] }] };
  assert.deepEqual(withImage(draft, specs, 'a', 'z'), { input_image: ['z', 'b', 'z'], start_image_url: 'b',
    elements: [{ id: '1', frontal_image_url: 'z', reference_image_urls: ['c', 'z'] }] });
  assert.deepEqual(draft.input_image, ['a', 'b', 'a']);
});

test('an image is named after its field, and has no name once it is removed', () => {
  const specs = [['Prompt', 'prompt', 'prompt'], ['References', 'input_image', 'images'], ['Stills', 'stills', 'images'], ['Start frame', 'start_image_url', 'image'], ['Elements', 'elements', 'elements']]
    .map(([title, name, kind]) => ({ title, name, kind }));
  const draft = { prompt: 'p', input_image: ['a', 'b'], stills: null, start_image_url: 's', elements: [{ frontal_image_url: null, reference_image_urls: [] }, { frontal_image_url: 'f', reference_image_urls: ['v'] }] };
  assert.deepEqual(['b', 's', 'f', 'v', 'p', 'z'].map((key) => imageName(draft, specs, key)), ['@Image2', 'Start frame', '@Element2', '@Element2', '', '']);
  assert.equal(imageName({ ...draft, stills: ['q'] }, specs, 'q'), 'Stills 1');
});
