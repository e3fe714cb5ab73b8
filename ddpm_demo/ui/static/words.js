// The page's sentences in the language of whoever reads it, and numbers as that language writes them.
//
// A sentence is whole, with named {places}; `{share:.1f}` has so many digits behind its mark, `{count:,}` marks of
// thousands. Forms of the plural stand beside each other, as in "{count} digit|{count} digits", the first place being
// what is counted. What the catalogue lacks is said in English.

/**
 * @typedef {{code: string, direction: "ltr" | "rtl", words: Record<string, string>, languages: Record<string, string>}}
 *   Words
 */

/** @type {Words} */
const known = /** @type {any} */ (globalThis).ddpmWords ?? { code: "en", direction: "ltr", words: {}, languages: {} };
/** The language's BCP 47 tag. */
export const language = known.code;
/** All languages of the page: how each calls itself, by its tag. */
export const languages = known.languages;
const digits = `${language}-u-nu-latn`; // Western ones everywhere, as in the formulas and on the axes
const CATEGORIES = ["zero", "one", "two", "few", "many", "other"]; // of numbers, as CLDR orders them
const rule = new Intl.PluralRules(language);
const forms = CATEGORIES.filter((name) => rule.resolvedOptions().pluralCategories.includes(/** @type {any} */ (name)));
/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** A number with so many digits behind its mark, as the language writes it: a true minus sign, and none before a zero. */
export function number(/** @type {number} */ value, decimals = 0, grouped = false) {
  if (!Number.isFinite(value)) return String(value);
  const key = `${decimals} ${grouped}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(digits, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      useGrouping: grouped,
    });
    formats.set(key, format);
  }
  const text = format.format(value);
  return text.replace("-", /[1-9]/.test(text) ? "−" : "");
}

/** Words as one says them in a row: "a, b and c". */
export const listed = (/** @type {string[]} */ words) =>
  new Intl.ListFormat(language === "en" ? "en-GB" : language, { type: "conjunction" }).format(words);

/** Sentences in a row: with a space between them where the language sets one behind a full stop. */
export const inRow = (/** @type {string[]} */ sentences) =>
  sentences.filter(Boolean).join(/^(zh|ja)/.test(language) ? "" : " ");

/**
 * A sentence in the reader's language, with its values in their places.
 * @param {string} sentence
 * @param {Record<string, unknown>} [values]
 */
export const say = (sentence, values) => fill(known.words[sentence] ?? sentence, values);

/**
 * Fill the places of a sentence that is in the reader's language already; a place without a value stays as it is.
 * @param {string} template
 * @param {Record<string, unknown>} [values]
 */
export function fill(template, values) {
  if (!values) return template;
  const all = template.split("|");
  let text = all[0];
  if (all.length > 1) {
    const place = /\{(\w+)/.exec(template)?.[1] ?? "";
    text = all[Math.min(forms.indexOf(rule.select(Number(values[place]))), all.length - 1)];
  }
  return text.replace(/\{(\w+)(?::(,?)(?:\.(\d+)f)?)?\}/g, (whole, name, comma, decimals) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (Array.isArray(value)) return listed(value.map(String));
    if (typeof value !== "number") return String(value);
    return number(value, decimals === undefined ? decimalsOf(value) : Number(decimals), Boolean(comma));
  });
}

export const decimalsOf = (/** @type {number} */ value) => Math.min(20, String(value).split(".")[1]?.length ?? 0);
