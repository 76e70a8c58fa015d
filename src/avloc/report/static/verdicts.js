"use strict";
// Verdicts as data: what the browser keeps, what files hold. No element of the page is known here.
const Verdicts = (() => {
  const COLUMNS = ["video", "start", "end", "label", "score", "verdict", "found_start", "found_end", "found_label",
    "reviewer", "at", "duration", "whole", "result"];
  const KINDS = ["yes", "no", "corrected", "added", ""], ASKED = "next", PREFIX = "avloc verdicts ";
  const ms = (seconds) => Number(seconds).toFixed(3);
  const keyOf = (start, end, label) => `${ms(start)}\t${ms(end)}\t${label}`;

  // The browser's own store, by the mark of a result; a browser may refuse it to files.
  function recall(mark) {
    try { return JSON.parse(localStorage.getItem(PREFIX + mark)) ?? { rows: [] }; } catch { return { rows: [] }; }
  }
  function keep(mark, state) {
    try {
      if (state.rows.length || state.whole) localStorage.setItem(PREFIX + mark, JSON.stringify(state));
      else localStorage.removeItem(PREFIX + mark);
      return true;
    } catch { return false; }
  }
  // What was kept of another result of a video, as of one with another threshold: the one that most of the events are of.
  function earlier(name, keys) {
    let best = { rows: [] }, most = 0;
    try {
      for (const key of Object.keys(localStorage)) {
        if (!key.startsWith(PREFIX)) continue;
        const state = recall(key.slice(PREFIX.length)), shared = state.rows.filter((row) => row.kind && keys.has(row.found)).length;
        if (state.name === name && shared > most) [best, most] = [state, shared];
      }
    } catch { /* the browser keeps nothing */ }
    return best;
  }
  // Whether nothing is missing holds of a result with these events: a true one that it lacks would be.
  function isWhole(state, keys) {
    return Boolean(state.whole) && !state.rows.some((row) => ["yes", "corrected"].includes(row.kind) && !keys.has(row.found));
  }
  function reviewer(name) {
    try {
      if (name !== undefined) localStorage.setItem("avloc reviewer", name);
      return localStorage.getItem("avloc reviewer") ?? "";
    } catch { return name ?? ""; }
  }

  // Rows of one video as files have them: its found events with what was said of them, then what was added.
  // found: [{start, end, label, score}], state: {rows: [{found: key or null, kind, start, end, label, by, at}], whole}.
  function rowsOf(about, found, state) {
    const told = new Map(state.rows.filter((row) => row.found !== null).map((row) => [row.found, row]));
    const keys = new Set(found.map((event) => keyOf(event.start, event.end, event.label)));
    const rest = { duration: ms(about.duration), whole: isWhole(state, keys) ? "yes" : "", result: about.mark };
    const rows = found.map((event) => {
      const row = told.get(keyOf(event.start, event.end, event.label));
      const now = row?.kind === "corrected" ? row : event;
      return {
        video: about.name, start: ms(now.start), end: ms(now.end), label: now.label, score: String(event.score),
        verdict: row ? row.kind || (row.asked ? ASKED : "") : "", found_start: ms(event.start), found_end: ms(event.end),
        found_label: event.label, reviewer: row?.by ?? "", at: row?.at ?? "", ...rest,
      };
    });
    for (const row of state.rows) {
      if (row.found === null) {
        rows.push({ video: about.name, start: ms(row.start), end: ms(row.end), label: row.label, score: "",
          verdict: "added", found_start: "", found_end: "", found_label: "", reviewer: row.by, at: row.at, ...rest });
      }
    }
    if (!rows.length) rows.push({ ...Object.fromEntries(COLUMNS.map((name) => [name, ""])), video: about.name, ...rest });
    return rows;
  }

  function toCsv(rows) {
    const quoted = (text) => (/[",\r\n]/.test(text) || text.trim() !== text ? `"${text.replaceAll('"', '""')}"` : text);
    return [COLUMNS, ...rows.map((row) => COLUMNS.map((name) => row[name]))].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  }
  function toJson(rows) {
    const videos = {};
    for (const { video, duration, whole, result, ...row } of rows) {
      videos[video] ??= { duration: Number(duration), whole: whole === "yes", result, events: [] };
      if (row.start) videos[video].events.push(row);
    }
    return JSON.stringify({ version: "1.0", verdicts: videos }, null, 1) + "\n";
  }

  // What a file holds: {video: {whole, rows: [as in the store]}}. An Error says what is odd.
  function parse(text) {
    const rows = text.trimStart().startsWith("{") ? fromJson(text) : fromCsv(text), videos = {};
    for (const row of rows) {
      if (!KINDS.includes(row.verdict) && row.verdict !== ASKED) throw new Error(`"${row.verdict}" is no verdict`);
      const state = (videos[row.video] ??= { rows: [], whole: false });
      state.whole ||= row.whole === "yes";
      if (!row.start || (!row.verdict && row.found_label)) continue;  // not looked at
      const [start, end] = [Number(row.start), Number(row.end)], asked = row.verdict === ASKED;
      if (!(end >= start) || !row.label) throw new Error(`an event of ${row.video} has odd times or no class`);
      const found = row.verdict === "added" ? null
        : row.found_label ? keyOf(row.found_start, row.found_end, row.found_label) : keyOf(start, end, row.label);
      state.rows.push({ found, kind: asked ? "" : row.verdict, asked, start, end, label: row.label, by: row.reviewer ?? "", at: row.at ?? "" });
    }
    return videos;
  }
  function fromJson(text) {
    const top = JSON.parse(text).verdicts;
    if (!top || typeof top !== "object") throw new Error('it has no "verdicts"');
    return Object.entries(top).flatMap(([video, { events = [], whole }]) => [
      { video, verdict: "", whole: whole ? "yes" : "" }, ...events.map((row) => ({ ...row, video, verdict: row.verdict ?? "" })),
    ]);
  }
  function fromCsv(text) {
    const lines = split(text.replace(/^\ufeff/, "")), names = (lines.shift() ?? []).map((name) => name.trim().toLowerCase());
    const missing = ["video", "start", "end", "label", "verdict"].filter((name) => !names.includes(name));
    if (missing.length) throw new Error(`its first line names no ${missing.join(", ")}`);
    return lines.filter((line) => line.some(Boolean)).map((line) => Object.fromEntries(names.map((name, k) => [name, line[k] ?? ""])));
  }
  function split(text) {
    const divider = text.slice(0, text.indexOf("\n")).includes(";") ? ";" : ",", lines = [[""]];
    let quoted = false;
    for (let k = 0; k < text.length; k++) {
      const sign = text[k], line = lines[lines.length - 1];
      if (quoted) {
        if (sign !== '"') line[line.length - 1] += sign;
        else if (text[k + 1] === '"') { line[line.length - 1] += '"'; k++; } else quoted = false;
      } else if (sign === '"') quoted = true;
      else if (sign === divider) line.push("");
      else if (sign === "\n") lines.push([""]);
      else if (sign !== "\r") line[line.length - 1] += sign;
    }
    return lines;
  }
  // What a file says that the store does not: the file counts where both judge an event.
  function fresh(state, told) {
    const judged = new Set(state.rows.filter((row) => row.found !== null && row.kind).map((row) => row.found));
    const added = state.rows.filter((row) => row.found === null), near = (a, b) => Math.abs(a - b) < 0.0015;
    const isHere = (row) => added.some((known) => known.label === row.label && near(known.start, row.start) && near(known.end, row.end));
    return { ...told, rows: told.rows.filter((row) => (row.found === null ? !isHere(row) : row.kind || !judged.has(row.found))) };
  }
  function merged(state, told) {
    const more = fresh(state, told), theirs = new Set(more.rows.map((row) => row.found).filter((key) => key !== null));
    return { name: state.name ?? told.name, rows: [...state.rows.filter((row) => !theirs.has(row.found)), ...more.rows], whole: state.whole || told.whole };
  }

  function save(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: name.endsWith(".json") ? "application/json" : "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }
  // A button that opens files, and files that are let fall on the page.
  function opens(button, input, take) {
    const read = async (files) => { for (const file of files) take(file.name, await file.text()); };
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => { read([...input.files]).then(() => { input.value = ""; }); });
    addEventListener("dragover", (drag) => { if (drag.dataTransfer.types.includes("Files")) drag.preventDefault(); });
    addEventListener("drop", (drag) => {
      if (!drag.dataTransfer.files.length) return;
      drag.preventDefault();
      read([...drag.dataTransfer.files]);
    });
  }
  return { keyOf, recall, keep, earlier, isWhole, reviewer, rowsOf, toCsv, toJson, parse, fresh, merged, save, opens };
})();
