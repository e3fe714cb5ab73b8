// A student's results as a table in CSV, a row for each question that was answered; the student may put a name into it.
import { hasRecord, recordOf, testOf } from "./memory.js";

/** A field in quotes. What begins like a formula gets an apostrophe: a spreadsheet would compute it. */
function quote(/** @type {any} */ value) {
  const text = String(value ?? ""),
    harmless = typeof value === "number" || !/^[=+\-@\t\r]/.test(text);
  return `"${(harmless ? text : `'${text}`).replaceAll('"', '""')}"`;
}

/**
 * @param {Record<string, any>[]} lessons
 * @param {Record<string, {ask: string, choices: {key: string, say: string}[]}[]>} tests
 * @param {Record<string, string>} words
 * @param {string} name of the student's own choosing; it may be empty
 */
export function resultsTable(lessons, tests, words, name) {
  const yes = (/** @type {boolean | undefined | null} */ value) =>
    value === undefined || value === null ? "" : value ? words.yes : words.no;
  const sayOf = (choices, key) =>
    Array.isArray(key)
      ? key.map((each) => sayOf(choices, each)).join(" ")
      : (choices?.find((choice) => choice.key === key)?.say ?? (key === "?" ? words.test_dont_know : key));
  const rows = [];
  lessons.forEach((lesson, k) => {
    if (!hasRecord(lesson.name)) return;
    const { prediction, truth, answers, first } = recordOf(lesson.name),
      { predict, question } = lesson;
    const add = (part, asked, answer, right, correct) =>
      rows.push([
        k + 1,
        lesson.title,
        part,
        asked.ask,
        sayOf(asked.choices, answer),
        sayOf(asked.choices, right),
        correct,
      ]);
    if (prediction !== undefined)
      add(words.part_predict, predict, prediction, truth?.right, truth ? words[`verdict_${truth.verdict}`] : "");
    // the first answer counts: after it the student knows more
    if (answers.length) add(words.part_question, question, answers[0], first ? answers[0] : undefined, yes(first));
  });
  for (const [when, items] of Object.entries(tests)) {
    const { answers, results } = testOf(when);
    items.forEach(({ ask, choices }, item) => {
      if (!answers[item]) return;
      const result = results?.[item];
      const right = sayOf(choices, result?.right);
      rows.push([item + 1, "", words[`part_${when}`], ask, sayOf(choices, answers[item]), right, yes(result?.correct)]);
    });
  }
  const head = ["name", "lesson", "title", "part", "question", "answer", "right", "correct"];
  const table = [head.map((column) => words[`csv_${column}`]), ...rows.map((row) => [name, ...row])];
  return table.map((row) => row.map(quote).join(",")).join("\r\n");
}
