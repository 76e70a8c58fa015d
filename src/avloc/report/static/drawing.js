// What stands on the page for an event that a person judges: its bar, its row, its line in the table, its edges.
function drawing(page, tones) {
  const { events, rows, timeline, duration, clock, find } = page, MOST_LANES = 4;
  const WORDS = { yes: "right", no: "wrong", corrected: "corrected", added: "added", "": "not looked at" };
  const body = find("list").querySelector("tbody"), answers = make("td", "verdict");
  for (const [name, sign, does] of [["Right", "✓", "yes"], ["Wrong", "✗", "no"], ["Correct", "✎", "correct"]]) {
    const button = Object.assign(make("button"), { type: "button", title: name, textContent: sign });
    button.dataset.do = does;
    answers.append(button);
  }
  body.parentNode.classList.add("with-verdicts");
  find("list").querySelector("thead tr").append(Object.assign(make("th", "verdict"), { scope: "col", role: "columnheader", textContent: "Verdict" }));

  function make(tag, name = "") {
    const element = Object.assign(document.createElement(tag), { className: name }), role = { tr: "row", td: "cell", th: "rowheader" }[tag];
    if (role) element.setAttribute("role", role);
    return element;
  }
  const percent = (seconds) => `${(100 * Math.min(Math.max(0, seconds), duration)) / duration}%`;

  function equip(event) {
    const cell = answers.cloneNode(true);
    for (const button of cell.children) button.setAttribute("aria-label", `${button.title}: ${event.label} at ${clock(event.start)}`);
    event.line.append(cell);
    paint(event);
  }
  function paint(event) {
    const { kind } = event, words = `${event.label}: ${page.facts(event).replaceAll("  ·  ", ", ")}`;
    for (const part of [event.bar, event.line]) part.dataset.verdict = event.asked && !kind ? "next" : kind;
    event.bar.setAttribute("aria-label", kind ? `${words}, ${WORDS[kind]}` : words);
    press(event.line.lastChild.children, kind);
  }
  function press(buttons, kind) {
    for (const button of buttons) {
      if (!["yes", "no", "correct"].includes(button.dataset.do)) continue;
      button.setAttribute("aria-pressed", String(button.dataset.do === (kind === "corrected" ? "correct" : kind)));
    }
  }
  function place(event) {
    event.bar.style.left = percent(event.start);
    event.bar.style.width = `${(100 * (Math.min(event.end, duration) - Math.max(0, event.start))) / duration}%`;
    const [, , start, end, length] = event.line.children;
    start.textContent = clock(event.start);
    end.textContent = clock(event.end);
    length.textContent = `${(event.end - event.start).toFixed(2)} s`;
  }
  function color(element, label) {
    const [hue, step] = tones.get(label) ?? [260, 0];
    element.style.setProperty("--h", hue);
    element.style.setProperty("--v", step);
  }
  function rowOf(label) {
    const known = rows.find((row) => row.querySelector(".label bdi").textContent === label);
    if (known) return known;
    const row = make("div", "row"), name = make("div", "label");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", label);
    color(row, label);
    name.append(make("b", "dot"), Object.assign(make("bdi"), { textContent: label }), make("small"));
    row.append(name, make("div", "track"));
    timeline.querySelector(".nothing")?.remove();
    timeline.insertBefore(row, timeline.querySelector(".row.apart, .over"));
    rows.push(row);
    return row;
  }
  // Into the row of its class, in the first lane that is free there.
  function settle(event) {
    const row = rowOf(event.label), before = event.row, others = events.filter((e) => e !== event && e.row === row);
    const laneOf = (e) => Number(e.bar.style.getPropertyValue("--lane"));
    const free = [0, 1, 2].find((lane) => others.every((e) => laneOf(e) !== lane || e.end <= event.start || e.start >= event.end));
    const lane = free ?? MOST_LANES - 1, track = row.querySelector(".track"), focused = document.activeElement === event.bar;
    event.row = row;
    event.bar.style.setProperty("--lane", lane);
    if (lane >= (Number(track.style.getPropertyValue("--lanes")) || 1)) track.style.setProperty("--lanes", lane + 1);
    track.append(event.bar);
    if (focused) event.bar.focus();
    for (const one of [before, row]) if (one) count(one);
    event.bar.dataset.label = event.label;
    color(event.line, event.label);
    event.line.querySelector("th bdi").textContent = event.label;
  }
  function count(row) { row.querySelector(".label small").textContent = String(events.filter((e) => e.row === row).length); }
  function added(start, end, label) {
    const bar = Object.assign(make("button", "bar"), { type: "button", tabIndex: -1 }), line = make("tr");
    const columns = body.parentNode.querySelectorAll("thead th").length - 1, name = make("th");
    bar.style.setProperty("--sure", 1);
    name.scope = "row";
    name.append(make("b", "dot"), make("bdi"));
    line.append(make("td", "go"), name, make("td"), make("td"), make("td", "length"));
    while (line.children.length < columns) line.append(make("td"));
    line.lastChild.className = "score";
    line.lastChild.textContent = "added";
    return { bar, line, label, start, end, score: 1, shown: true, still: null, index: events.length, row: null,
      kind: "", found: null, by: "", at: "", asked: false };
  }
  function enter(event) {
    events.push(event);
    events.sort((a, b) => a.start - b.start || a.index - b.index);
    body.append(event.line);
    find("list").hidden = false;
    settle(event);
    place(event);
  }
  function leave(event) {
    events.splice(events.indexOf(event), 1);
    event.bar.remove();
    event.line.remove();
    count(event.row);
  }

  // The edges of the chosen event: sliders for keys, handles for the pointer.
  // move(side, seconds): while it is dragged; set(): then. nudge(side, by): by a key.
  function edgesOf(move, set, nudge) {
    const edges = { start: edge("start"), end: edge("end") };
    function edge(side) {
      const part = make("span", `edge ${side}`), name = side === "start" ? "Start" : "End";
      let held = null;  // pixels from the edge to where it is held
      part.tabIndex = 0;
      for (const [key, value] of Object.entries({ role: "slider", "aria-valuemin": 0, "aria-valuemax": duration.toFixed(2), "aria-valuenow": 0, "aria-label": name })) part.setAttribute(key, value);
      part.addEventListener("pointerdown", (pointer) => {
        if (pointer.button) return;
        part.setPointerCapture(pointer.pointerId);
        held = pointer.clientX - part.getBoundingClientRect().left + parseFloat(getComputedStyle(part).marginLeft);
        pointer.preventDefault();
      });
      part.addEventListener("pointermove", (pointer) => {
        if (held === null) return;
        const box = part.parentNode.getBoundingClientRect();
        move(side, Math.round(((pointer.clientX - held - box.left) / box.width) * duration * 100) / 100);
      });
      for (const end of ["pointerup", "pointercancel"]) part.addEventListener(end, () => { if (held !== null) set(); held = null; });
      part.addEventListener("keydown", (press_) => {
        const by = { ArrowLeft: -0.1, ArrowRight: 0.1, PageDown: -1, PageUp: 1 }[press_.key];
        if (!by || press_.ctrlKey || press_.altKey || press_.metaKey) return;
        press_.preventDefault();
        press_.stopPropagation();
        nudge(side, by);
      });
      return part;
    }
    return (event) => {
      for (const [side, part] of Object.entries(edges)) {
        part.hidden = !event;
        if (!event) continue;
        part.style.left = percent(event[side]);
        part.style.setProperty("--lane", event.bar.style.getPropertyValue("--lane"));
        part.setAttribute("aria-label", `${side === "start" ? "Start" : "End"} of ${event.label}`);
        part.setAttribute("aria-valuenow", event[side].toFixed(2));
        part.setAttribute("aria-valuetext", clock(event[side]));
      }
      if (event && edges.start.previousSibling !== event.bar) event.bar.after(edges.start, edges.end);
    };
  }
  return { WORDS, body, equip, paint, press, place, color, settle, added, enter, leave, edgesOf };
}
