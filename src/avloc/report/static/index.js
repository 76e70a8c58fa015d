(() => {
  const find = (id) => document.getElementById(id);
  const data = JSON.parse(find("data").textContent);
  const list = find("rows"), tip = find("tip"), query = find("query"), floor = find("floor"), order = find("order");
  const panel = find("panel"), classList = find("classes"), classOrder = find("class-order");
  const FIELDS = 4, BINS = 50, SPARE_ROWS = 8;  // of an event: start, end, class, score

  const classes = data.classes.map(([label, hue, step]) => ({ label, hue, step, folded: fold(label), chosen: false }));
  const videos = data.videos.map(([name, page, duration, playable, flat, result, mark]) => ({
    name, page, duration, playable, flat, result, mark, folded: fold(name), shown: [], best: 0,
  }));
  data.classes = data.videos = null;
  let lowest = 1;
  for (const { flat } of videos) for (let i = 3; i < flat.length; i += FIELDS) lowest = Math.min(lowest, flat[i]);
  lowest = Math.max(0, Math.floor(100 * lowest) / 100);
  let shown = [];          // the videos that pass the filters, in order
  let rowHeight = 60;      // pixels, as the style sheet has it for this width
  let active = 0;          // place in `shown` of the row that has the focus, or that Tab comes to
  const drawn = new Map(); // place in `shown` -> row on the page

  document.documentElement.classList.add("js");
  floor.min = floor.value = lowest.toFixed(2);

  function fold(text) { return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase(); }
  function clock(seconds, decimals = 0) {
    const units = Math.round(Math.max(0, seconds) * 10 ** decimals), whole = Math.floor(units / 10 ** decimals);
    const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, s = String(whole % 60).padStart(2, "0");
    const part = decimals ? "." + String(units % 10 ** decimals).padStart(decimals, "0") : "";
    return (h ? `${h}:${String(m).padStart(2, "0")}` : `${m}`) + `:${s}${part}`;
  }
  function many(n, one, more = one + "s") { return `${n.toLocaleString("en")} ${n === 1 ? one : more}`; }
  function make(tag, name, text) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }
  function paint(element, kind) {
    element.style.setProperty("--h", kind.hue);
    element.style.setProperty("--v", kind.step);
  }

  // Filters: an event passes by class, score and words; each word may stand in the video's name or in the label.
  function filter() {
    const words = fold(query.value).split(/\s+/).filter(Boolean), least = Number(floor.value);
    const open = least <= lowest, any = classes.some((kind) => kind.chosen);
    const inLabel = words.map((word) => classes.map((kind) => kind.folded.includes(word)));
    const bins = new Uint32Array(BINS), stats = classes.map(() => ({ events: 0, videos: 0, seconds: 0, last: -1 }));
    shown = [];
    videos.forEach((video, place) => {
      const rest = inLabel.filter((_, k) => !video.folded.includes(words[k]));
      const { flat } = video;
      video.shown = [];
      video.best = 0;
      for (let i = 0; i < flat.length; i += FIELDS) {
        const kind = flat[i + 2], score = flat[i + 3];
        if (!rest.every((labels) => labels[kind])) continue;
        if (!any || classes[kind].chosen) bins[Math.min(BINS - 1, Math.max(0, Math.floor(score * BINS)))] += 1;
        if (!open && score < least) continue;
        const stat = stats[kind];
        stat.events += 1;
        stat.seconds += flat[i + 1] - flat[i];
        if (stat.last !== place) { stat.videos += 1; stat.last = place; }
        if (any && !classes[kind].chosen) continue;
        video.shown.push(i);
        video.best = Math.max(video.best, score);
      }
      if (video.shown.length || (!flat.length && !any && open && !rest.length)) shown.push(video);
    });
    sort();
    tell(bins, stats, least);
    active = 0;
    redraw();
    keep(words, least, open);
  }
  const orders = {
    events: (a, b) => b.shown.length - a.shown.length,
    score: (a, b) => b.best - a.best,
    long: (a, b) => b.duration - a.duration,
    short: (a, b) => a.duration - b.duration,
  };
  function sort() { if (order.value in orders) shown.sort(orders[order.value]); }  // names: in order already

  function tell(bins, stats, least) {
    const events = shown.reduce((sum, video) => sum + video.shown.length, 0);
    const all = shown.length === videos.length ? many(videos.length, "video")
      : `${shown.length.toLocaleString("en")} of ${many(videos.length, "video")}`;
    find("count").textContent = `${all}, ${many(events, "event")}`;
    find("floor-value").value = least.toFixed(2);
    const filtered = classes.some((kind) => kind.chosen) || query.value.trim() !== "" || least > lowest;
    find("clear").hidden = !filtered;
    const chosen = classes.filter((kind) => kind.chosen).length;
    find("chosen").textContent = chosen ? `${chosen} chosen` : String(classes.length);
    drawHistogram(bins, least);
    const most = Math.max(1, ...stats.map((stat) => stat.events));
    classes.forEach((kind, k) => {
      const stat = stats[k];
      kind.events = stat.events;
      kind.row.classList.toggle("none", !stat.events);
      kind.button.setAttribute("aria-pressed", String(kind.chosen));
      kind.many.textContent = stat.events.toLocaleString("en");
      kind.more.textContent = `in ${many(stat.videos, "video")}, ${clock(stat.seconds)} ${stat.seconds < 3599.5 ? "min" : "h"}`;
      kind.row.style.setProperty("--share", `${(100 * stat.events) / most}%`);
    });
  }
  function drawHistogram(bins, least) {
    const low = lowest, most = Math.max(1, ...bins), width = 50 / (BINS * (1 - low) || 1);
    find("histogram").replaceChildren(...[...bins].flatMap((count, k) => {
      const x = (k - low * BINS) * width;
      if (!count || x < -width) return [];
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect"), high = Math.max(0.8, 20 * Math.sqrt(count / most));
      for (const [name, value] of Object.entries({ x: Math.max(0, x), y: 20 - high, width: width * 0.82, height: high })) bar.setAttribute(name, value);
      if ((k + 1) / BINS <= least + 1e-9) bar.classList.add("below");
      return [bar];
    }));
  }

  // Classes: a button each, which says how many events pass the other filters.
  for (const kind of classes) {
    kind.row = make("li");
    kind.button = make("button");
    kind.button.type = "button";
    kind.button.title = kind.label;
    kind.many = make("span", "many");
    kind.more = make("span", "more");
    kind.button.append(make("b", "dot"), make("bdi", "", kind.label), kind.many, kind.more, make("i"));
    kind.row.append(kind.button);
    paint(kind.row, kind);
    kind.button.addEventListener("click", () => { kind.chosen = !kind.chosen; filter(); });
  }
  function arrange() {
    const byName = classOrder.getAttribute("aria-pressed") === "true";
    const sorted = byName ? [...classes].sort((a, b) => (a.folded < b.folded ? -1 : 1)) : classes;
    classList.replaceChildren(...sorted.map((kind) => kind.row));
  }
  classOrder.addEventListener("click", () => {
    classOrder.setAttribute("aria-pressed", String(classOrder.getAttribute("aria-pressed") !== "true"));
    arrange();
  });

  // The list holds rows for what is on the screen alone.
  function redraw() {
    rowHeight = parseFloat(getComputedStyle(document.body).getPropertyValue("--row"));
    for (const row of drawn.values()) row.remove();
    drawn.clear();
    list.style.height = `${shown.length * rowHeight}px`;
    list.hidden = !shown.length;
    find("nothing").hidden = shown.length > 0;
    tip.hidden = true;
    draw();
  }
  function draw() {
    if (!shown.length) return;
    const top = -list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / rowHeight) - SPARE_ROWS);
    const end = Math.min(shown.length, Math.ceil((top + innerHeight) / rowHeight) + SPARE_ROWS);
    for (const [k, row] of drawn) {
      if ((k < first || k >= end) && !row.contains(document.activeElement)) { row.remove(); drawn.delete(k); }
    }
    let before = null;  // rows stand in order, for those who read the page by Tab or by ear
    for (let k = end - 1; k >= first; k--) {
      let row = drawn.get(k);
      if (!row) { row = rowOf(shown[k], k); drawn.set(k, row); list.insertBefore(row, before); }
      before = row;
    }
    // Tab comes to a row that is seen.
    if (!list.contains(document.activeElement)) active = Math.min(shown.length - 1, Math.max(0, Math.ceil(top / rowHeight)));
    for (const [k, row] of drawn) row.firstChild.tabIndex = k === active ? 0 : -1;
  }
  function rowOf(video, place) {
    const row = make("div", "video"), link = make("a", "open"), strip = make("div", "strip");
    const cut = video.name.lastIndexOf("/"), folder = video.name.slice(0, Math.max(0, cut));
    row.setAttribute("role", "listitem");
    row.setAttribute("aria-setsize", shown.length);
    row.setAttribute("aria-posinset", place + 1);
    row.style.top = `${place * rowHeight}px`;
    row.dataset.place = place;
    link.href = video.page;
    link.title = video.name;
    const facts = [clock(video.duration), video.flat.length ? many(video.shown.length, "event") : "no event"];
    facts.push(...[wordsOn(video), folder].filter(Boolean));
    const name = make("span", "name"), sub = make("span", "sub", facts.join(" · "));
    name.append(make("bdi", "", video.name.slice(cut + 1)));
    if (!video.playable) name.append(make("small", "", "video missing"));
    link.append(name, sub);
    for (const i of video.shown) strip.append(barOf(video, i));
    row.append(link, strip, make("span", "top", video.shown.length ? video.best.toFixed(2) : ""));
    row.lastChild.title = "highest score";
    return row;
  }
  function barOf(video, i) {
    const [start, end, k, score] = video.flat.slice(i, i + FIELDS), kind = classes[k], bar = make("a", "bar");
    const whole = video.duration || 1, left = Math.min(start / whole, 1), right = Math.min(end / whole, 1);
    bar.href = `${video.page}#t=${start}`;
    bar.tabIndex = -1;
    bar.setAttribute("aria-label", `${kind.label}, ${clock(start, 2)} to ${clock(end, 2)}, score ${score.toFixed(2)}`);
    bar.dataset.event = i;
    paint(bar, kind);
    bar.style.left = `min(${100 * left}%, 100% - 5px)`;
    bar.style.width = `${100 * (right - left)}%`;
    bar.style.setProperty("--sure", Math.min(1, Math.max(0, score)));
    return bar;
  }

  function tellEvent(bar) {
    const video = shown[bar.closest(".video").dataset.place];
    const [start, end, k, score] = video.flat.slice(Number(bar.dataset.event), Number(bar.dataset.event) + FIELDS);
    tip.replaceChildren(make("b", "", classes[k].label), `${clock(start, 2)} – ${clock(end, 2)}  ·  score ${score.toFixed(2)}`);
    tip.hidden = false;
    const at = bar.getBoundingClientRect(), box = tip.getBoundingClientRect(), middle = (at.left + at.right) / 2;
    tip.style.left = `${Math.min(Math.max(8, middle - box.width / 2), innerWidth - box.width - 8)}px`;
    tip.style.top = `${at.top - box.height - 8 > 4 ? at.top - box.height - 8 : at.bottom + 8}px`;
  }
  for (const name of ["pointerover", "focusin"]) {
    list.addEventListener(name, (event) => {
      const bar = event.target.closest(".bar");
      if (bar) tellEvent(bar); else tip.hidden = true;
    });
  }
  for (const name of ["pointerleave", "focusout"]) list.addEventListener(name, () => { tip.hidden = true; });

  // Keys: up and down from video to video, left and right from event to event.
  function goTo(place) {
    const to = Math.min(shown.length - 1, Math.max(0, place)), top = list.getBoundingClientRect().top + to * rowHeight;
    const head = document.querySelector(".filters"), roof = getComputedStyle(head).position === "sticky" ? head.offsetHeight : 0;
    if (top < roof) scrollBy(0, top - roof - 4);
    else if (top + rowHeight > innerHeight) scrollBy(0, top + rowHeight - innerHeight + 4);
    draw();
    active = to;
    drawn.get(to)?.firstChild.focus({ preventScroll: true });
    draw();
  }
  list.addEventListener("keydown", (press) => {
    const row = press.target.closest(".video");
    if (!row || press.ctrlKey || press.altKey || press.metaKey) return;
    const place = Number(row.dataset.place), pageful = Math.max(1, Math.floor(innerHeight / rowHeight) - 3);
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + pageful, PageUp: place - pageful, Home: 0, End: shown.length - 1 };
    if (Object.hasOwn(to, press.key)) {
      press.preventDefault();
      if (press.key === "ArrowUp" && place === 0) query.focus(); else goTo(to[press.key]);
    } else if (press.key === "ArrowRight" || press.key === "ArrowLeft") {
      press.preventDefault();
      const stops = [row.firstChild, ...row.querySelectorAll(".bar")];
      stops[stops.indexOf(press.target) + (press.key === "ArrowRight" ? 1 : -1)]?.focus();
    }
  });
  document.addEventListener("keydown", (press) => {
    if (press.key === "Escape") tip.hidden = true;
    if (press.key !== "/" || press.ctrlKey || press.altKey || press.metaKey || /^(INPUT|SELECT)$/.test(document.activeElement.tagName)) return;
    press.preventDefault();
    query.focus();
    query.select();
  });
  query.addEventListener("keydown", (press) => {
    if (press.key === "ArrowDown" && shown.length) { press.preventDefault(); goTo(active); }
    if (press.key === "Escape" && query.value) { query.value = ""; filter(); }
  });

  // The address keeps the filters, so that they are there again on the way back from a page.
  function keep(words, least, open) {
    const state = new URLSearchParams();
    if (words.length) state.set("q", query.value.trim());
    if (!open) state.set("score", least.toFixed(2));
    if (order.value !== "name") state.set("sort", order.value);
    for (const kind of classes) if (kind.chosen) state.append("class", kind.label);
    try { history.replaceState(null, "", `#${state}`); } catch { /* too many changes at once: the next one is kept */ }
  }
  function recall() {
    const state = new URLSearchParams(location.hash.slice(1)), chosen = new Set(state.getAll("class"));
    query.value = state.get("q") ?? "";
    floor.value = state.get("score") ?? lowest;
    if ([...order.options].some((option) => option.value === state.get("sort"))) order.value = state.get("sort");
    for (const kind of classes) kind.chosen = chosen.has(kind.label);
  }

  function soon(work) {  // many events of one frame are one piece of work
    let waiting = 0;
    return () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(work); };
  }
  const filterSoon = soon(filter);
  query.addEventListener("input", filterSoon);
  floor.addEventListener("input", filterSoon);
  order.addEventListener("change", filter);
  find("clear").addEventListener("click", () => {
    query.value = "";
    floor.value = lowest;
    for (const kind of classes) kind.chosen = false;
    filter();
    query.focus();
  });
  addEventListener("scroll", () => { tip.hidden = true; draw(); }, { passive: true });
  addEventListener("resize", soon(redraw));
  addEventListener("hashchange", () => { recall(); filter(); });

  const narrow = matchMedia("(max-width: 62rem)");
  const fitPanel = () => { panel.open = !narrow.matches; };
  narrow.addEventListener("change", fitPanel);
  fitPanel();
  const wordsOn = collectVerdicts({ videos, classes, fields: FIELDS, find, redraw, many });
  recall();
  arrange();
  filter();
})();
