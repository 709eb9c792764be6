// translate: texts of an account in another language. The rule stands in the comment of
// Go's package catalogue, whose Translate does the same.

const translator = (() => {
  // translator returns what translates by texts, which maps English texts to others. A text
  // with {0} and the like can be given with the values that these stand for.
  function translator(texts) {
    const known = new Map();
    const patterns = Object.keys(texts)
      .filter((english) => /\{\d\}/.test(english))
      .map((english) => {
        const literals = english.split(/\{\d\}/);
        const words = literals.join("");
        return {
          literals,
          order: [...english.matchAll(/\{(\d)\}/g)].map((m) => Number(m[1])),
          to: texts[english],
          numbers: [...texts[english].matchAll(/\{#(\d)\}/g)].map((m) => Number(m[1])),
          size: new TextEncoder().encode(words).length,
          bare: !/[a-zA-Z]/.test(words.replaceAll(" and ", "")),
        };
      })
      .sort((a, b) => rank(a) - rank(b) || b.size - a.size || compare(a.literals, b.literals));

    // translate returns the text, and whether some of it was translated, and all: what is
    // data does not count.
    function translate(text, depth) {
      if (Object.hasOwn(texts, text)) return { text: texts[text], some: true, all: true };
      if (text.length > 1000 || depth > 8 || isQuoted(text)) return { text, some: false, all: !hasWord(text) || isQuoted(text) };
      const at = depth + text;
      if (!known.has(at)) known.set(at, compose(text, depth));
      return known.get(at);
    }

    // compose translates a text that is made of others.
    function compose(text, depth) {
      const parts = text.split(" · ");
      if (parts.length > 1) {
        const said = parts.map((part) => translate(part, depth + 1));
        return { text: said.map((p) => p.text).join(" · "), some: said.some((p) => p.some), all: said.every((p) => p.all) };
      }
      for (const loosely of [false, true]) {
        const said = instance(text, depth, loosely);
        if (said !== null) return { text: said, some: true, all: !loosely };
      }
      return { text, some: false, all: !hasWord(text) };
    }

    // instance translates what is an instance of a pattern. Of a pattern without words, all
    // of the values must be translated; loosely, some of one is enough.
    function instance(text, depth, loosely) {
      for (const p of patterns) {
        if (loosely && !p.bare) continue;
        const values = match(p, text);
        if (!values) continue;
        const said = values.map((v) => translate(v, depth + 1));
        if (!p.bare || (said.some((v) => v.some) && (loosely || said.every((v) => v.all)))) return fill(p.to, values, said);
      }
      return null;
    }

    return (text, ...values) => {
      const to = Object.hasOwn(texts, text) ? texts[text] : text;
      if (values.length) return fill(to, values, values.map((text) => ({ text })));
      return translate(text, 0).text;
    };
  }

  // match finds the values that make a text an instance of a pattern; null if it is none.
  function match(p, text) {
    if (!text.startsWith(p.literals[0])) return null;
    let rest = text.slice(p.literals[0].length);
    const least = rank(p) === 0 ? 0 : 1; // characters of a value
    const values = [];
    for (let i = 0; i < p.order.length; i++) {
      const number = p.order[i];
      const literal = p.literals[i + 1];
      const seen = values[number] !== undefined;
      let value = rest;
      if (i === p.order.length - 1) {
        if (!rest.endsWith(literal)) return null;
        value = rest.slice(0, rest.length - literal.length);
      } else if (seen) {
        if (!rest.startsWith(values[number] + literal)) return null;
        rest = rest.slice((values[number] + literal).length);
        continue;
      } else {
        const at = literal === "" || rest.length < least ? -1 : rest.indexOf(literal, least);
        if (at < 0) return null;
        value = rest.slice(0, at);
        rest = rest.slice(at + literal.length);
      }
      if (value.length < least || (seen && value !== values[number])) return null;
      values[number] = value;
    }
    if (p.numbers.some((n) => !/^[0-9,.-]+$/.test(values[n]))) return null;
    return values;
  }

  // isQuoted reports that a text is one string in quotation marks.
  function isQuoted(text) {
    if (text.length < 2 || text[0] !== '"' || !text.endsWith('"')) return false;
    return !text.slice(1, -1).replaceAll("\\\\", "").replaceAll('\\"', "").includes('"');
  }

  const hasWord = (text) => /[a-z]{2}/.test(text);

  // fill puts values in the places of {0} and the like, as they are said; and as they are
  // in those of {=0}, which stands for data, and of {#0}, which stands for a number.
  function fill(text, values, said) {
    return text.replace(/\{([=#]?)(\d)\}/g, (all, plain, n) => (values[n] === undefined ? all : plain ? values[n] : said[n].text));
  }

  // rank orders the patterns: one that has many words, one that has none, one that has few.
  const rank = (p) => (p.bare && p.size < 5 ? 1 : p.size < 8 ? 2 : 0);

  function compare(a, b) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    }
    return a.length - b.length;
  }

  return translator;
})();
