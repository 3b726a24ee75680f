/* The lists of the report: filters over an index, texts unpacked when they are needed. No network. */
'use strict';
(() => {
  const PAGE_ITEMS = 50;
  const byId = (id) => document.getElementById(id);
  const packs = new Map();

  function unpack(id) {
    if (!packs.has(id)) {
      const packed = Uint8Array.from(atob(byId(id).textContent), (character) => character.charCodeAt(0));
      const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
      packs.set(id, new Response(plain).json());
    }
    return packs.get(id);
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

  function badge(word) {
    return element('span', { className: `badge ${word.replaceAll(/[^a-z]+/g, '-')}`, textContent: word });
  }

  /* A line that opens: `fill` gives what stands below it, once. */
  function opening(line, fill) {
    const details = element('details', {}, element('summary', {}, ...line));
    let filled = false;
    details.addEventListener('toggle', async () => {
      if (!details.open || filled) return;
      filled = true;
      details.append(...(await fill()));
    });
    return element('li', {}, details);
  }

  /* A list with its form. `find` gives the positions that match, at once or later. */
  function browser({ name, noun, total, find, item }) {
    const list = byId(`${name}-list`);
    const status = byId(`${name}-status`);
    const more = byId(`${name}-more`);
    const form = byId(`${name}-filters`);
    let matching = [];
    let shown = 0;
    let turn = 0;

    function showMore() {
      const next = matching.slice(shown, shown + PAGE_ITEMS);
      list.append(...next.map(item));
      shown += next.length;
      status.textContent = `${matching.length} of ${total} ${noun} match, ${shown} listed`;
      more.hidden = shown >= matching.length;
    }

    async function apply() {
      turn += 1;
      const mine = turn;
      const found = await find();
      // A later change of the filters has its own answer.
      if (mine !== turn) return;
      matching = found;
      list.replaceChildren();
      shown = 0;
      showMore();
    }

    form.addEventListener('input', () => void apply());
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('reset', () => setTimeout(() => void apply()));
    more.addEventListener('click', () => {
      const first = shown;
      showMore();
      list.children[first]?.querySelector('summary').focus();
    });
    void apply();
    return apply;
  }

  function filterOf(list, name) {
    return byId(`${list}-filter-${name}`);
  }

  function browseSamples() {
    const { chunkSamples, samples } = JSON.parse(byId('sample-index').textContent);
    const [model, cwe, outcome, task] = ['model', 'cwe', 'outcome', 'task'].map((name) =>
      filterOf('sample', name),
    );

    async function texts(position) {
      const chunk = await unpack(`chunk-${Math.floor(position / chunkSamples)}`);
      const { prompt, reply, code, failedTests, log } = chunk[position % chunkSamples];
      return [
        ...section('Prompt', prompt),
        ...section('Reply', reply),
        ...section('Code that was graded', code),
        ...section('Failed tests', failedTests.join('\n')),
        ...section('Log', log),
      ];
    }

    const apply = browser({
      name: 'sample',
      noun: 'samples',
      total: samples.length,
      find() {
        const text = task.value.trim().toLowerCase();
        const wanted = [model.value, null, null, cwe.value, outcome.value];
        const found = [];
        for (let position = 0; position < samples.length; position += 1) {
          const sample = samples[position];
          if (wanted.some((value, column) => value && sample[column] !== value)) continue;
          if (text && !`${sample[1]} #${sample[2]} ${sample[5]}`.toLowerCase().includes(text)) continue;
          found.push(position);
        }
        return found;
      },
      item(position) {
        const [model, task, sample, cwe, outcome, reason] = samples[position];
        const line = [
          badge(outcome),
          element('span', { className: `model ${model}`, textContent: model }),
          element('span', { className: 'task', textContent: `${task} #${sample}` }),
          element('span', { className: 'muted', textContent: `${cwe} · ${reason}` }),
        ];
        return opening(line, () => texts(position));
      },
    });
    for (const link of document.querySelectorAll('a[data-cwe]')) {
      link.addEventListener('click', () => {
        cwe.value = link.dataset.cwe;
        void apply();
      });
    }
  }

  function browseData() {
    const rows = JSON.parse(byId('data-index').textContent);
    const [kind, cwe, language, reason, text] = ['kind', 'cwe', 'language', 'reason', 'text'].map((name) =>
      filterOf('data', name),
    );
    const holds = (position, unpacked, wanted) => {
      const { index, id, reason } = rows[position];
      const { detail, texts } = unpacked[position];
      return [`#${index} ${id}`, reason, detail, ...texts.map(({ text }) => text)].some((part) =>
        part?.toLowerCase().includes(wanted),
      );
    };

    browser({
      name: 'data',
      noun: 'rows',
      total: rows.length,
      async find() {
        const wanted = text.value.trim().toLowerCase();
        const unpacked = wanted && (await unpack('data-texts'));
        const found = [];
        for (let position = 0; position < rows.length; position += 1) {
          const row = rows[position];
          if (kind.value && row.kind !== kind.value) continue;
          if (cwe.value && !row.cwes.includes(cwe.value)) continue;
          if (language.value && row.language !== language.value) continue;
          if (reason.value && row.reason !== reason.value) continue;
          if (wanted && !holds(position, unpacked, wanted)) continue;
          found.push(position);
        }
        return found;
      },
      item(position) {
        const { word, index, id, sample, language, cwes, reason } = rows[position];
        const answer = sample === null ? '' : ` · answer ${sample}`;
        const facts = [language, cwes.join(' '), reason].filter((fact) => fact !== null && fact !== '');
        const line = [
          badge(word),
          element('span', { className: 'task', textContent: `#${index} ${id}${answer}` }),
          element('span', { className: 'muted', textContent: facts.join(' · ') }),
        ];
        return opening(line, async () => {
          const { detail, texts } = (await unpack('data-texts'))[position];
          const why = detail === null ? reason : [reason, detail].filter((part) => part !== null).join(': ');
          return [
            ...(why === null ? [] : section('Reason', why)),
            ...texts.flatMap(({ title, text }) => section(title, text)),
          ];
        });
      },
    });
  }

  browseSamples();
  if (byId('data-index') !== null) browseData();
})();
