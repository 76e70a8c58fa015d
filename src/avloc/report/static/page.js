(() => {
  const find = (id) => document.getElementById(id);
  const video = find("video"), timeline = find("timeline"), scroll = find("scroll"), sound = find("sound");
  const tip = find("tip"), floor = find("floor"), playhead = find("playhead"), nowList = find("now");
  const duration = Number(timeline.dataset.duration);
  const played = timeline.querySelector(".played");
  const rows = [...timeline.querySelectorAll(".row:not(.sound, .apart)")];
  const lines = new Map([...document.querySelectorAll("tr[data-event]")].map((line) => [line.dataset.event, line]));
  const events = [...timeline.querySelectorAll(".bar")].map((bar) => ({
    bar, label: bar.dataset.label, row: bar.closest(".row"),
    line: lines.get(bar.dataset.event), still: lines.get(bar.dataset.event).querySelector(".still"), index: Number(bar.dataset.event),
    start: Number(bar.dataset.start), end: Number(bar.dataset.end), score: Number(bar.dataset.score),
    seen: bar.dataset.seen, heard: bar.dataset.heard, shown: true, kind: "",
  })).sort((a, b) => a.index - b.index);
  let playing = null;      // the event being played, until its end
  let until = 0;           // when that is
  let chosen = null;       // the event whose bar is in the tab order
  let onChoose = () => {}; // told of it
  let ownSeek = false;     // the seek under way is ours, not the viewer's
  let drawing = false;     // a frame of the page is being drawn for each frame of the screen
  let nowKey = "";         // the events named beside the video
  let dark = false;        // the browser plays the sound alone

  document.documentElement.classList.add("js");
  // Rows are laid out as grids, which some readers no longer take for a table unless they are told.
  const ROLES = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell", "thead th": "columnheader", "tbody th": "rowheader" };
  for (const [tag, role] of Object.entries(ROLES)) for (const part of find("list").querySelectorAll(tag)) part.setAttribute("role", role);
  if (played) played.setAttribute("d", find("level").getAttribute("d"));
  for (const event of events) event.bar.removeAttribute("title");

  // Where a file's clock begins late, some browsers count from its zero, others from the first picture.
  function zero() {
    const late = Number(video.dataset.zero);
    return video.duration > duration + late / 2 ? late : 0;
  }
  function now() { return Math.max(0, video.currentTime - zero()); }
  function clock(seconds) {
    const hundredths = Math.round(Math.max(0, seconds) * 100);
    const h = Math.floor(hundredths / 360000), m = Math.floor(hundredths / 6000) % 60, s = (hundredths % 6000) / 100;
    return (h ? `${h}:${String(m).padStart(2, "0")}` : `${m}`) + `:${s.toFixed(2).padStart(5, "0")}`;
  }

  // Playing one event: seek to its start, play, stop at its end.
  function mark(event) {
    if (playing) for (const part of [playing.bar, playing.line]) part.classList.remove("playing");
    playing = event;
    if (playing) for (const part of [playing.bar, playing.line]) part.classList.add("playing");
  }
  function seek(seconds) {
    const go = () => { video.currentTime = seconds + zero(); show(); };
    if (video.readyState >= 1) go();
    else { video.addEventListener("loadedmetadata", go, { once: true }); video.load(); }
  }
  function play(event, around = 0) {  // seconds to hear before and behind it
    mark(event);
    until = Math.min(event.end + around, duration);
    ownSeek = true;
    seek(Math.max(0, event.start - around));
    video.play().catch(() => {});
  }
  function show() {
    const seconds = now();
    if (playing && !video.paused && seconds >= until && !video.seeking) { video.pause(); mark(null); }
    const at = `${Math.min(100, (100 * seconds) / duration)}%`;
    playhead.style.setProperty("--at", at);
    sound.style.setProperty("--at", at);
    tellNow(seconds);
    if (!video.paused && scroll.scrollWidth > scroll.clientWidth) follow();
  }
  function follow() {
    const head = playhead.getBoundingClientRect(), view = scroll.getBoundingClientRect();
    const left = view.left + (sound.getBoundingClientRect().left - timeline.getBoundingClientRect().left);
    if (head.left < left || head.left > view.right - 24) scroll.scrollLeft += head.left - left - 24;
  }
  function tellNow(seconds) {
    const active = events.filter((e) => e.shown && e.kind !== "no" && e.start <= seconds && seconds < e.end);
    const key = active.map((e) => e.index).join();
    if (key === nowKey) return;
    nowKey = key;
    if (dark) showStill(playing ?? active.find((e) => e.still));
    const labels = new Map(active.map((e) => [e.label, e.row]));
    nowList.replaceChildren(...[...labels].map(([label, row]) => {
      const item = document.createElement("li"), dot = document.createElement("b"), name = document.createElement("bdi");
      for (const property of ["--h", "--v"]) item.style.setProperty(property, row.style.getPropertyValue(property));
      dot.className = "dot";
      name.textContent = label;
      item.append(dot, name);
      return item;
    }));
    find("quiet").hidden = active.length > 0;
    const lit = new Set(labels.values());
    for (const row of rows) row.classList.toggle("lit", lit.has(row));
  }
  // A codec that the browser does not know shows as black, or as silence, without an error.
  function showStill(event) {
    find("still").hidden = !event?.still;
    if (event?.still) find("still").src = event.still.src;
  }
  video.addEventListener("loadedmetadata", () => {
    dark = video.dataset.picture !== "" && video.videoWidth === 0;
    find("unseen").hidden = !dark;
    video.parentElement.classList.toggle("dark", dark);
    nowKey = "-";
  });
  video.addEventListener("timeupdate", () => {
    if (dark || video.dataset.sound === "" || video.paused || video.currentTime - heardFrom < 1) return;
    find("unheard").hidden = !(video.webkitAudioDecodedByteCount === 0 || video.mozHasAudio === false);
  });
  let heardFrom = 0;
  for (const name of ["seeked", "play"]) video.addEventListener(name, () => { heardFrom = video.currentTime; });
  function everyFrame() {
    show();
    drawing = !video.paused;
    if (drawing) requestAnimationFrame(everyFrame);
  }
  video.addEventListener("play", () => { if (!drawing) everyFrame(); });
  for (const name of ["timeupdate", "seeked", "loadedmetadata"]) video.addEventListener(name, show);
  video.addEventListener("seeking", () => { if (!ownSeek) mark(null); });
  video.addEventListener("seeked", () => { ownSeek = false; });
  video.addEventListener("ended", () => mark(null));
  video.addEventListener("error", () => { find("unplayable").hidden = false; });
  if (video.error) find("unplayable").hidden = false;

  function wire(event) {
    event.bar.addEventListener("click", () => { rove(event); play(event); });
    event.line.addEventListener("click", () => { if (!String(getSelection())) { rove(event); play(event); } });
    event.bar.addEventListener("focus", () => rove(event));
    for (const name of ["pointerenter", "focus"]) event.bar.addEventListener(name, () => tell(event));
    for (const name of ["pointerleave", "blur"]) event.bar.addEventListener(name, () => { tip.hidden = true; });
  }
  events.forEach(wire);
  document.addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.altKey || press.metaKey) return;
    if (press.key === "Escape") {
      tip.hidden = true;
      video.pause();
      mark(null);
    } else if (isPause(press)) {
      press.preventDefault();
      if (!press.repeat) { if (video.paused) video.play().catch(() => {}); else video.pause(); }
    } else if ((press.key === "N" || press.key === "P") && !press.target.closest("input[type=text], [list]")) {
      document.querySelector(press.key === "N" ? "nav .next" : "nav .before")?.click();
    } else if ((press.key === "ArrowRight" || press.key === "ArrowLeft") && !press.target.closest("input, video, .bar, .edge, dialog")) {
      goFromHere(press);
    }
  });
  // Space pauses and goes on wherever the focus is, but for controls that it works itself.
  const isPause = (press) => press.key === " " && !press.target.closest("input, a, dialog, button:not(.bar)");
  document.addEventListener("keyup", (press) => { if (isPause(press)) press.preventDefault(); });  // no click on a bar
  function goFromHere(press) {
    const from = now(), shown = events.filter((e) => e.shown);
    const next = press.key === "ArrowRight" ? shown.find((e) => e.start >= from) : shown.findLast((e) => e.start < from);
    if (!next) return;
    press.preventDefault();
    rove(next);
    next.bar.focus();
  }
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true, capture: true });

  function facts(event) {
    const told = [`${clock(event.start)} – ${clock(event.end)}`];
    if (event.kind !== "added") told.push(`score ${event.score.toFixed(2)}`);
    if (event.seen !== undefined) told.push(`seen ${event.seen}, heard ${event.heard}`);
    return told.join("  ·  ");
  }
  function tell(event) {
    const name = document.createElement("b");
    name.textContent = event.label;
    if (event.still) name.prepend(event.still.cloneNode());
    tip.replaceChildren(name, facts(event));
    tip.hidden = false;
    const bar = event.bar.getBoundingClientRect(), box = tip.getBoundingClientRect();
    const middle = (Math.max(bar.left, 0) + Math.min(bar.right, innerWidth)) / 2;
    tip.style.left = `${Math.min(Math.max(8, middle - box.width / 2), innerWidth - box.width - 8)}px`;
    tip.style.top = `${bar.top - box.height - 9 > 4 ? bar.top - box.height - 9 : bar.bottom + 9}px`;
  }

  // One bar is in the tab order; the arrow keys move from it.
  function rove(event) {
    if (event === chosen) return;
    if (chosen) chosen.bar.tabIndex = -1;
    chosen = event;
    if (event) event.bar.tabIndex = 0;
    onChoose(event);
  }
  function beside(event, step) {
    const shown = events.filter((e) => e.shown);
    return shown[shown.indexOf(event) + step];
  }
  function across(event, step) {
    for (let k = rows.indexOf(event.row) + step; k >= 0 && k < rows.length; k += step) {
      const there = events.filter((e) => e.shown && e.row === rows[k]);
      const gap = (e) => Math.abs(e.start + e.end - event.start - event.end);
      if (there.length) return there.reduce((best, e) => (gap(e) < gap(best) ? e : best));
    }
    return undefined;
  }
  timeline.addEventListener("keydown", (press) => {
    const event = events.find((e) => e.bar === press.target);
    if (!event || press.ctrlKey || press.altKey || press.metaKey) return;
    const shown = events.filter((e) => e.shown);
    const moves = {
      ArrowRight: () => beside(event, 1), ArrowLeft: () => beside(event, -1), ArrowDown: () => across(event, 1),
      ArrowUp: () => across(event, -1), Home: () => shown[0], End: () => shown[shown.length - 1],
    };
    if (!Object.hasOwn(moves, press.key)) return;
    press.preventDefault();
    const next = moves[press.key]();
    if (next) { rove(next); next.bar.focus(); }
  });

  function filter() {
    const least = Number(floor.value);
    for (const event of events) {
      event.shown = least <= 0 || event.score >= least;
      event.bar.hidden = event.line.hidden = !event.shown;
    }
    const shown = events.filter((e) => e.shown);
    for (const row of rows) row.classList.toggle("bare", !shown.some((e) => e.row === row));
    find("floor-value").value = least.toFixed(2);
    find("shown").textContent = String(shown.length);
    find("all").textContent = String(events.length);
    if (!chosen?.shown && shown.length) rove(shown[0]);
    if (playing && !playing.shown) mark(null);
    nowKey = "-";
    tellNow(now());
  }
  floor.addEventListener("input", filter);
  for (const event of events) event.bar.tabIndex = -1;
  if (events.length) filter();

  // The level curve is the place to seek by hand.
  function seekTo(pointer) {
    const box = sound.getBoundingClientRect();
    mark(null);
    seek(Math.min(1, Math.max(0, (pointer.clientX - box.left) / box.width)) * duration);
  }
  sound.addEventListener("pointerdown", (pointer) => {
    if (pointer.button) return;
    sound.setPointerCapture(pointer.pointerId);
    seekTo(pointer);
  });
  sound.addEventListener("pointermove", (pointer) => {
    if (sound.hasPointerCapture(pointer.pointerId)) seekTo(pointer);
  });

  const zoom = find("zoom"), most = Number(zoom.dataset.most);
  function setZoom(factor) {
    timeline.style.setProperty("--zoom", factor);
    timeline.dataset.zoom = factor;
    find("out").disabled = factor <= 1;
    find("in").disabled = factor >= most;
    follow();
  }
  if (most > 1) {
    zoom.hidden = false;
    setZoom(1);
    find("in").addEventListener("click", () => setZoom(Math.min(most, 2 * Number(timeline.dataset.zoom))));
    find("out").addEventListener("click", () => setZoom(Math.max(1, Number(timeline.dataset.zoom) / 2)));
  }

  // While it plays and is scrolled away, the video stays in a corner.
  const stage = document.querySelector(".stage"), box = document.querySelector(".box");
  let away = false;
  function place() {
    const mini = away && !video.paused;
    if (mini && !box.classList.contains("mini")) stage.style.minHeight = `${stage.offsetHeight}px`;
    if (!away) stage.style.minHeight = "";
    if (mini || !away) box.classList.toggle("mini", mini);
  }
  new IntersectionObserver(([entry]) => { away = !entry.isIntersecting; place(); }, { threshold: 0.15 }).observe(stage);
  video.addEventListener("play", place);
  show();

  // page.html#t=12.34 begins there: at an event, if one starts then.
  function goToAddress() {
    const asked = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
    if (!asked) return;
    const seconds = Number(asked[1]), event = events.find((e) => Math.abs(e.start - seconds) < 0.006);
    if (event) { rove(event); play(event); } else seek(seconds);
  }
  addEventListener("hashchange", goToAddress);
  goToAddress();
  if (find("review-data")) {
    const page = { events, rows, timeline, duration, clock, facts, now, seek, play, rove, wire, filter, find };
    onChoose = startReview(page);
    onChoose(chosen);
  }
})();
