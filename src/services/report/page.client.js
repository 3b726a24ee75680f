/* The lists of the report: filters over an index, texts unpacked when they are needed. No network. */
'use strict';
(() => {
  const PAGE_ITEMS = 50;
  /* Unpacked chunks that are kept: a search goes through all of them. */
  const KEPT_PACKS = 8;
  const byId = (id) => document.getElementById(id);
  const packs = new Map();

  /* The inverse of packed.ts: pairs of characters carry 13 bits, low digit first. */
  function bytesOf(text, length) {
    const digits = new Uint8Array(128);
    let digit = 0;
    for (let code = 0x21; code < 0x7f; code += 1) {
      if (!'&<\\'.includes(String.fromCharCode(code))) {
        digits[code] = digit;
        digit += 1;
      }
    }
    const bytes = new Uint8Array(length);
    let held = 0;
    let bits = 0;
    let end = 0;
    for (let place = 0; place < text.length; place += 2) {
      held |= (digits[text.charCodeAt(place)] + digits[text.charCodeAt(place + 1)] * digit) << bits;
      bits += 13;
      while (bits >= 8 && end < length) {
        bytes[end] = held & 255;
        held >>>= 8;
        bits -= 8;
        end += 1;
      }
    }
    return bytes;
  }

  function unpack(id) {
    if (!packs.has(id)) {
      const node = byId(id);
      const bytes = bytesOf(node.textContent, Number(node.dataset.bytes));
      const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
      packs.set(id, new Response(plain).json());
      if (packs.size > KEPT_PACKS) packs.delete(packs.keys().next().value);
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
    block.setAttribute('role', 'region');
    block.setAttribute('aria-label', title);
    return [heading, block];
  }

  function facts(pairs) {
    const list = element('dl', {});
    for (const [name, text] of pairs)
      list.append(element('dt', { textContent: name }), element('dd', { textContent: text }));
    return list;
  }

  function badge(word) {
    return element('span', { className: `badge ${word.replaceAll(/[^a-z]+/g, '-')}`, textContent: word });
  }

  /* A line that opens: `fill` gives what stands below it, once. Escape closes it again. */
  function opening(line, fill) {
    const summary = element('summary', {}, ...line);
    const details = element('details', {}, summary);
    let filled = false;
    details.addEventListener('toggle', async () => {
      if (!details.open || filled) return;
      filled = true;
      details.append(...(await fill()));
    });
    details.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !details.open) return;
      details.open = false;
      summary.focus();
    });
    return element('li', {}, details);
  }

  /* A list with its form. `find` gives the positions that match, at once or later; null when it was overtaken. */
  function browser({ name, noun, total, find, item }) {
    const list = byId(`${name}-list`);
    const status = byId(`${name}-status`);
    const more = byId(`${name}-more`);
    const form = byId(`${name}-filters`);
    const number = (value) => value.toLocaleString('en');
    let matching = [];
    let shown = 0;
    let turn = 0;

    function showMore() {
      const next = matching.slice(shown, shown + PAGE_ITEMS);
      list.append(...next.map(item));
      shown += next.length;
      status.textContent = `${number(matching.length)} of ${number(total)} ${noun} match, ${number(shown)} listed`;
      more.hidden = shown >= matching.length;
    }

    async function apply() {
      turn += 1;
      const mine = turn;
      const found = await find({
        isOvertaken: () => mine !== turn,
        tell(done) {
          status.textContent = `searching: ${number(done)} of ${number(total)} ${noun}`;
        },
      });
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

  function wantedText(field) {
    return field.value.trim().toLowerCase();
  }

  function browseSamples() {
    const index = JSON.parse(byId('sample-index').textContent);
    const { labels, benchmarks, tasks, models, variants, outcomes, reasons, rows, starts, variantWords } =
      index;
    const WIDTH = 6;
    const total = rows.length / WIDTH;
    const names = ['benchmark', 'model', 'language', 'cwe', 'variant', 'outcome', 'reason'];
    const selects = names.map((name) => [name, filterOf('sample', name)]).filter(([, node]) => node !== null);
    const [text, inTexts] = ['text', 'inTexts'].map((name) => filterOf('sample', name));

    function sampleAt(position) {
      const at = position * WIDTH;
      const [place, id, cwes, language] = tasks[rows[at]];
      return {
        place,
        benchmark: benchmarks[place]?.name ?? '',
        id,
        cwe: cwes,
        language,
        model: models[rows[at + 1]],
        variant: variants[rows[at + 2]],
        sample: rows[at + 3],
        outcome: outcomes[rows[at + 4]],
        reason: reasons[rows[at + 5]],
      };
    }

    function chunkOf(position) {
      let chunk = starts.length - 1;
      while (starts[chunk] > position) chunk -= 1;
      return chunk;
    }

    async function textsOf(position) {
      const chunk = chunkOf(position);
      const [texts, prompts] = await Promise.all([unpack(`chunk-${chunk}`), unpack('sample-prompts')]);
      const [prompt, reply, reasoning, code, log, reason, failed, upstream, opinions, attempts, cut, found] =
        texts[position - starts[chunk]];
      return {
        prompt: prompts[prompt],
        reply,
        reasoning,
        code: Array.isArray(code) ? reply.slice(code[0], code[0] + code[1]) : code,
        log,
        reason,
        failed,
        upstream,
        opinions,
        attempts,
        cut,
        found,
      };
    }

    function judgement([functional, secure]) {
      return `${functional ? 'functional' : 'not functional'}, ${secure ? 'secure' : 'not secure'}`;
    }

    async function fill(position) {
      const { place, benchmark, id, cwe, language, variant, outcome } = sampleAt(position);
      const texts = await textsOf(position);
      const pairs = [
        ['verdict', `${outcome} (${texts.reason})`],
        ['benchmark', [benchmarks[place]?.title ?? benchmark, language, ...cwe].join(', ')],
        ['prompt variant', variantWords[variant] ?? variant],
      ];
      if (texts.cut) pairs.push(['answer', 'cut off at the token limit']);
      if (texts.attempts > 1) pairs.push(['gradings', `${texts.attempts}, the later ones after a timeout`]);
      if (texts.found.length > 0) pairs.push(['attacks that worked', texts.found.join(', ')]);
      if (benchmarks[place]?.upstream)
        pairs.push([
          "upstream's verdict",
          texts.upstream === null ? 'none: it vanishes from its results' : judgement(texts.upstream),
        ]);
      for (const [name, findings, rules] of texts.opinions) {
        const what = findings === 1 ? '1 finding' : `${findings} findings`;
        pairs.push([name, findings === null ? 'could not judge it' : [what, ...rules].join(' · ')]);
      }
      const others = element('button', { type: 'button', textContent: 'All samples of this task' });
      others.addEventListener('click', () => filterBy({ benchmark }, `${id} #`));
      return [
        facts(pairs),
        others,
        ...section('Prompt', texts.prompt),
        ...(texts.reasoning === null ? [] : section('Reasoning', texts.reasoning)),
        ...section('Reply', texts.reply),
        ...section('Code that was graded', texts.code),
        ...section('Failed tests', texts.failed.join('\n')),
        ...section('Log', texts.log),
      ];
    }

    function matches(position) {
      const sample = sampleAt(position);
      return selects.every(([name, { value }]) => {
        if (value === '') return true;
        return Array.isArray(sample[name]) ? sample[name].includes(value) : sample[name] === value;
      });
    }

    function lineHolds(position, wanted) {
      const { id, sample, reason } = sampleAt(position);
      return `${id} #${sample} ${reason}`.toLowerCase().includes(wanted);
    }

    async function textHolds(position, wanted) {
      const { prompt, reply, reasoning, code, log, reason, failed, opinions } = await textsOf(position);
      const rules = opinions.flatMap(([name, , rules]) => [name, ...rules]);
      return [prompt, reply, reasoning, code, log, reason, ...failed, ...rules].some((part) =>
        part?.toLowerCase().includes(wanted),
      );
    }

    const apply = browser({
      name: 'sample',
      noun: 'samples',
      total,
      async find({ isOvertaken, tell }) {
        const wanted = wantedText(text);
        const deep = wanted !== '' && inTexts.checked;
        const found = [];
        let chunk = 0;
        for (let position = 0; position < total; position += 1) {
          if (deep && position === starts[chunk + 1]) {
            chunk += 1;
            tell(position);
            // The page stays alive while tens of thousands of texts are read.
            await new Promise((resolve) => setTimeout(resolve));
            if (isOvertaken()) return null;
          }
          if (!matches(position)) continue;
          if (wanted === '' || lineHolds(position, wanted) || (deep && (await textHolds(position, wanted))))
            found.push(position);
        }
        return found;
      },
      item(position) {
        const { place, id, cwe, language, model, variant, sample, outcome, reason } = sampleAt(position);
        const facts = [
          benchmarks.length > 1 ? benchmarks[place]?.title : '',
          cwe.join(' '),
          language,
          variants.length > 1 ? (variantWords[variant] ?? variant) : '',
          reason,
        ];
        const line = [
          badge(outcome),
          element('span', { className: `model ${model}`, textContent: labels[model] }),
          element('span', { className: 'task', textContent: `${id} #${sample}` }),
          element('span', { className: 'muted', textContent: facts.filter(Boolean).join(' · ') }),
        ];
        return opening(line, () => fill(position));
      },
    });

    /* Sets the filters that are named, and clears the others. */
    function filterBy(wanted, words) {
      for (const [name, node] of selects) node.value = wanted[name] ?? '';
      text.value = words;
      void apply();
      byId('sample-filters').querySelector('select, input').focus();
    }

    for (const link of document.querySelectorAll('a[data-filter]'))
      link.addEventListener('click', () => filterBy(JSON.parse(link.dataset.filter), ''));
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
        const wanted = wantedText(text);
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
