/* The drill-down of the report: filters over the index, texts unpacked when a sample is opened. No network. */
'use strict';
(() => {
  const PAGE_SAMPLES = 50;
  const byId = (id) => document.getElementById(id);
  const { chunkSamples, samples } = JSON.parse(byId('sample-index').textContent);
  const filters = {
    model: byId('filter-model'),
    cwe: byId('filter-cwe'),
    outcome: byId('filter-outcome'),
    task: byId('filter-task'),
  };
  const list = byId('sample-list');
  const status = byId('sample-status');
  const more = byId('sample-more');
  const chunks = new Map();
  let matching = [];
  let shown = 0;

  function unpack(number) {
    if (!chunks.has(number)) {
      const packed = Uint8Array.from(atob(byId(`chunk-${number}`).textContent), (character) =>
        character.charCodeAt(0),
      );
      const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
      chunks.set(number, new Response(plain).json());
    }
    return chunks.get(number);
  }

  function element(name, properties, ...children) {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  }

  function section(title, text) {
    const heading = element('h4', { textContent: title });
    if (text === null || text === '')
      return [heading, element('p', { className: 'muted', textContent: 'none' })];
    const block = element('pre', { tabIndex: 0, textContent: text });
    block.setAttribute('aria-label', title);
    return [heading, block];
  }

  async function open(details, position) {
    if (details.dataset.filled) return;
    details.dataset.filled = 'yes';
    const texts = await unpack(Math.floor(position / chunkSamples));
    const { prompt, reply, code, failedTests, log } = texts[position % chunkSamples];
    details.append(
      ...section('Prompt', prompt),
      ...section('Reply', reply),
      ...section('Code that was graded', code),
      ...section('Failed tests', failedTests.join('\n')),
      ...section('Log', log),
    );
  }

  function item(position) {
    const [model, task, sample, cwe, outcome, reason] = samples[position];
    const summary = element(
      'summary',
      {},
      element('span', { className: `badge ${outcome.replaceAll(/[^a-z]+/g, '-')}`, textContent: outcome }),
      element('span', { className: `model ${model}`, textContent: model }),
      element('span', { className: 'task', textContent: `${task} #${sample}` }),
      element('span', { className: 'muted', textContent: `${cwe} · ${reason}` }),
    );
    const details = element('details', {}, summary);
    details.addEventListener('toggle', () => details.open && open(details, position));
    return element('li', {}, details);
  }

  function showMore() {
    const next = matching.slice(shown, shown + PAGE_SAMPLES);
    list.append(...next.map(item));
    shown += next.length;
    status.textContent = `${matching.length} of ${samples.length} samples match, ${shown} listed`;
    more.hidden = shown >= matching.length;
  }

  function apply() {
    const task = filters.task.value.trim().toLowerCase();
    const wanted = [filters.model.value, null, null, filters.cwe.value, filters.outcome.value];
    matching = [];
    for (let position = 0; position < samples.length; position += 1) {
      const sample = samples[position];
      if (wanted.some((value, column) => value && sample[column] !== value)) continue;
      if (task && !`${sample[1]} #${sample[2]} ${sample[5]}`.toLowerCase().includes(task)) continue;
      matching.push(position);
    }
    list.replaceChildren();
    shown = 0;
    showMore();
  }

  for (const filter of Object.values(filters)) filter.addEventListener('input', apply);
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('filters').addEventListener('reset', () => setTimeout(apply));
  more.addEventListener('click', () => {
    const first = shown;
    showMore();
    list.children[first]?.querySelector('summary').focus();
  });
  for (const link of document.querySelectorAll('a[data-cwe]')) {
    link.addEventListener('click', () => {
      filters.cwe.value = link.dataset.cwe;
      apply();
    });
  }
  apply();
})();
