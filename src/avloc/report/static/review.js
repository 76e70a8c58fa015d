// Verdicts on the events of a page: by button, by key, by dragging an edge. What it returns is to be called when
// another event is chosen.
function startReview(page) {
  const { events, duration, clock, find } = page;
  const about = { ...JSON.parse(find("review-data").textContent), duration };
  const tones = new Map(about.classes.map(([label, hue, step]) => [label, [hue, step]]));
  const LEAST_S = 0.05, AROUND_S = 1, NEW_S = 2;
  const STATE = ["kind", "start", "end", "label", "by", "at", "asked"], undone = [];
  const found = events.map(({ start, end, label, score }) => ({ start, end, label, score }));
  const naming = find("naming"), field = find("class"), draw = drawing(page, tones);
  let chosen = null, whole = false, looked = 0, asked = 0, then = null, before = null;

  // Changes, each of which can be undone.
  const round = (seconds) => Math.round(seconds * 1000) / 1000;
  const stateOf = (event) => Object.fromEntries(STATE.map((name) => [name, event[name]]));
  const foundOf = (event) => found[event.index];
  function assign(event, now) {
    const moved = (now.start ?? event.start) !== event.start || (now.end ?? event.end) !== event.end;
    const renamed = (now.label ?? event.label) !== event.label;
    looked += Boolean(now.kind ?? event.kind) - Boolean(event.kind);
    asked += Boolean(now.asked ?? event.asked) - Boolean(event.asked);
    Object.assign(event, now);
    if (renamed) draw.settle(event);
    if (moved || renamed) draw.place(event);
    draw.paint(event);
    if (event === chosen) tellChosen();
  }
  function change(event, now) {
    const was = stateOf(event);
    assign(event, { by: find("reviewer").value.trim(), at: new Date().toISOString().slice(0, 19) + "Z", ...now });
    undone.push(() => { assign(event, was); page.rove(event); });
    done();
  }
  function decide(event, kind) {
    if (!event) return;
    if (event.found === null) { if (kind === "no") remove(event); }
    else if (kind === "no" || event.kind !== "corrected") change(event, { ...foundOf(event), kind });
    if (find("go-on").checked) go(1);
  }
  function correct(event, now) {
    if (!event) return;
    const { start, end, label } = { ...stateOf(event), ...now };
    if (end - start < LEAST_S) { say("An event ends at least 0.05 s after it starts."); return; }
    say("");
    const same = event.found === Verdicts.keyOf(start, end, label);
    change(event, { start, end, label, kind: event.found === null ? "added" : same ? "yes" : "corrected" });
  }
  function clear(event) {
    if (event?.found === null) remove(event);
    else if (event?.kind) change(event, { ...foundOf(event), kind: "", by: "", at: "" });
  }
  function enter(event, now) {
    draw.enter(event);
    if (!event.line.querySelector(".verdict")) { draw.equip(event); page.wire(event); }
    assign(event, now);
    page.filter();
    page.rove(event);
  }
  function leave(event) {
    const was = stateOf(event);
    looked -= Boolean(event.kind);
    event.kind = "";
    draw.leave(event);
    page.filter();
    page.rove(events.find((e) => e.shown) ?? null);
    return was;
  }
  function add(start, end, label) {
    const event = draw.added(start, end, label);
    enter(event, { kind: "added", by: find("reviewer").value.trim(), at: new Date().toISOString().slice(0, 19) + "Z" });
    undone.push(() => leave(event));
    done();
    event.bar.focus();
  }
  function remove(event) {
    const was = leave(event);
    undone.push(() => enter(event, was));
    done();
  }
  function undo() { undone.pop()?.(); done(); }

  // What the browser keeps, and files.
  function state() {
    const rows = events.filter((e) => e.kind || e.asked).map((e) => ({ ...stateOf(e), found: e.found }));
    return { name: about.name, whole, rows };
  }
  let waiting = 0;
  function done() {
    tell();
    waiting ||= setTimeout(flush, 150);  // thousands of verdicts take a few milliseconds to write
  }
  function flush() {
    clearTimeout(waiting);
    waiting = 0;
    if (!Verdicts.keep(about.mark, state())) say("This browser keeps nothing for this page: save the verdicts to a file before you leave.");
  }
  addEventListener("pagehide", () => { if (waiting) flush(); });
  function take(told) {  // how many verdicts are on events that are not here
    const here = new Map(events.filter((e) => e.found !== null).map((e) => [e.found, e]));
    let strange = 0;
    for (const { found: key, kind, by = "", at = "", asked: wanted = false, ...now } of told.rows) {
      if (key === null) {
        const { start, end, label } = now;
        enter(draw.added(start, end, label), { kind: "added", by, at });
      } else if (!here.has(key)) strange += 1;
      else if (!kind) assign(here.get(key), { asked: wanted });
      else assign(here.get(key), { ...(kind === "corrected" ? now : foundOf(here.get(key))), kind, by, at });
    }
    whole ||= Verdicts.isWhole(told, here);
    return strange;
  }
  function save(ending) {
    const rows = Verdicts.rowsOf(about, found, state());
    Verdicts.save(`${about.name.replaceAll("/", "-")}.verdicts.${ending}`, ending === "csv" ? Verdicts.toCsv(rows) : Verdicts.toJson(rows));
  }
  Verdicts.opens(find("open"), find("file"), (file, text) => {
    try {
      const told = Verdicts.parse(text)[about.name];
      if (!told) throw new Error(`it has no verdict on ${about.name}`);
      const strange = take(Verdicts.fresh(state(), told));
      say(strange ? `${strange} of the verdicts in ${file} are on events that this page does not have.` : "");
      done();
    } catch (error) { say(`${file} cannot be read: ${error.message}.`); }
  });

  function say(text) { find("trouble").textContent = text; find("trouble").hidden = !text; }
  function tell() {
    const left = asked ? events.filter((e) => e.asked && !e.kind).length : 0;
    find("progress").textContent = `${looked} of ${events.length} looked at${left ? `, ${left} asked for` : ""}`;
    find("whole").checked = whole;
  }
  function tellChosen() {
    const text = find("about"), dot = document.createElement("b"), name = document.createElement("bdi"), standing = document.createElement("strong");
    for (const button of find("answers").children) button.disabled = !chosen;
    showEdges(chosen);
    if (!chosen) { text.textContent = "No event is chosen."; return; }
    dot.className = "dot";
    draw.color(text, chosen.label);
    name.textContent = chosen.label;
    standing.textContent = draw.WORDS[chosen.kind];
    text.replaceChildren(dot, name, `${page.facts(chosen)}  ·  `, standing);
    draw.press(find("answers").children, chosen.kind);
  }

  function within(side, seconds) {
    return round(side === "start" ? Math.min(Math.max(0, seconds), chosen.end - LEAST_S) : Math.max(Math.min(duration, seconds), chosen.start + LEAST_S));
  }
  function drag(side, seconds) {
    before ??= stateOf(chosen);
    chosen[side] = within(side, seconds);
    draw.place(chosen);
    showEdges(chosen);
    page.seek(chosen[side]);
  }
  function drop() {
    if (!before) return;
    const { start, end } = chosen;
    Object.assign(chosen, before);
    before = null;
    correct(chosen, { start, end });
  }
  function nudge(side, by) { correct(chosen, { [side]: within(side, chosen[side] + by) }); }

  function go(step) {
    const shown = events.filter((e) => e.shown), from = shown.indexOf(chosen);
    const ring = [...shown.slice(from + 1), ...shown.slice(0, Math.max(0, from))], ahead = step > 0 ? ring : ring.reverse();
    const next = (asked && ahead.find((e) => e.asked && !e.kind)) || ahead.find((e) => !e.kind);
    if (!next) return;
    page.rove(next);
    next.bar.focus();
    page.play(next, AROUND_S);
  }
  function listLabels() { find("labels").replaceChildren(...[...tones.keys()].sort().map((label) => new Option(label, label))); }
  function ask(label, answer) {
    then = answer;
    naming.hidden = false;
    field.value = label;
    field.focus();
    field.select();
  }
  function unask() {
    naming.hidden = true;
    chosen?.bar.focus();
  }
  naming.addEventListener("submit", (submit) => {
    submit.preventDefault();
    const typed = field.value.trim(), fit = [...tones.keys()].filter((label) => label.toLowerCase().startsWith(typed.toLowerCase()));
    if (!typed) return;
    const label = !tones.has(typed) && fit.length === 1 ? fit[0] : typed;
    if (!tones.has(label)) { tones.set(label, [260, 0]); listLabels(); }
    unask();
    then(label);
  });
  naming.addEventListener("keydown", (press) => { if (press.key === "Escape") { press.stopPropagation(); unask(); } });
  find("cancel").addEventListener("click", unask);

  const does = {
    yes: () => decide(chosen, "yes"), no: () => decide(chosen, "no"), clear: () => clear(chosen), undo,
    correct: () => { const event = chosen; if (event) ask(event.label, (label) => correct(event, { label })); },
    from: () => correct(chosen, { start: round(page.now()) }),
    to: () => correct(chosen, { end: round(page.now()) }),
    add: () => {
      const start = round(Math.min(page.now(), duration - LEAST_S));
      ask("", (label) => add(start, round(Math.min(duration, start + NEW_S)), label));
    },
    whole: () => { whole = !whole; undone.push(() => { whole = !whole; }); done(); },
    next: () => go(1), before: () => go(-1), save: () => save("csv"), help: () => find("keys").showModal(),
  };
  const KEYS = { y: "yes", n: "no", c: "correct", i: "from", o: "to", a: "add", u: "undo", Delete: "clear", w: "whole",
    j: "next", k: "before", s: "save", "?": "help" };
  document.addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.altKey || press.metaKey || press.target.closest("input:not([type=range], [type=checkbox]), dialog")) return;
    if (!Object.hasOwn(KEYS, press.key) || (!find("letters").checked && press.key.length === 1 && press.key !== "?")) return;
    press.preventDefault();
    does[KEYS[press.key]]();
  });
  find("review").addEventListener("click", (click) => { const button = click.target.closest("[data-do]"); if (button) does[button.dataset.do](); });
  draw.body.addEventListener("click", (click) => {  // before the line, which plays its event
    const button = click.target.closest(".verdict button");
    if (!button) return;
    click.stopPropagation();
    page.rove(events.find((e) => e.line === button.closest("tr")));
    does[button.dataset.do]();
  }, true);
  find("whole").addEventListener("change", does.whole);
  find("save").addEventListener("click", does.save);
  find("save-json").addEventListener("click", () => save("json"));
  find("help").addEventListener("click", does.help);
  find("reviewer").addEventListener("change", () => Verdicts.reviewer(find("reviewer").value.trim()));
  events.forEach((event, k) => {
    Object.assign(event, { found: Verdicts.keyOf(found[k].start, found[k].end, found[k].label), by: "", at: "", asked: false });
    if (!tones.has(event.label)) tones.set(event.label, ["--h", "--v"].map((name) => event.row.style.getPropertyValue(name)));
    draw.equip(event);
  });
  const showEdges = draw.edgesOf(drag, drop, nudge);
  listLabels();
  find("reviewer").value = Verdicts.reviewer();
  const kept = Verdicts.recall(about.mark);
  if (kept.rows.length || kept.whole) take(kept);
  else {
    const other = Verdicts.earlier(about.name, new Set(events.map((event) => event.found)));
    if (other.rows.length) {
      const strange = take(other);
      say(`Your verdicts on an earlier result of this video are here${strange ? `, but for ${strange} on events that it has no more` : ""}.`);
      done();
    }
  }
  tell();
  return (event) => { chosen = event; tellChosen(); };
}
