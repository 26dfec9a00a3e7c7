import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf, withPicture } from '../../../kling_nb/ui/static/mends.js';

test('a picture takes the place of another wherever that stands, and nowhere else', () => {
  const specs = [['prompt', 'prompt'], ['input_image', 'images'], ['start_image_url', 'image'], ['tail_image_url', 'image'], ['elements', 'elements']].map(([name, kind]) => ({ name, kind }));
  const draft = { prompt: 'a', input_image: ['a', 'b', 'a'], start_image_url: 'b', tail_image_url: null,
    elements: [{ id: '1', frontal_image_url: 'a', reference_image_urls: ['c', 'a'] }] };
  assert.deepEqual(withPicture(draft, specs, 'a', 'z'), { input_image: ['z', 'b', 'z'], start_image_url: 'b',
    elements: [{ id: '1', frontal_image_url: 'z', reference_image_urls: ['c', 'z'] }] });
  assert.deepEqual(draft.input_image, ['a', 'b', 'a']);
});

test('a picture is called by its place in the draft, and has no name once it has left', () => {
  const specs = [['Prompt', 'prompt', 'prompt'], ['References', 'input_image', 'images'], ['Stills', 'stills', 'images'], ['Start frame', 'start_image_url', 'image'], ['Elements', 'elements', 'elements']]
    .map(([title, name, kind]) => ({ title, name, kind }));
  const draft = { prompt: 'p', input_image: ['a', 'b'], stills: null, start_image_url: 's', elements: [{ frontal_image_url: null, reference_image_urls: [] }, { frontal_image_url: 'f', reference_image_urls: ['v'] }] };
  assert.deepEqual(['b', 's', 'f', 'v', 'p', 'z'].map((key) => placeOf(draft, specs, key)), ['@Image2', 'Start frame', '@Element2', '@Element2', '', '']);
  assert.equal(placeOf({ ...draft, stills: ['q'] }, specs, 'q'), 'Stills 1');
});
