// The verdicts on all videos of an index: kept by the browser as their pages leave them, saved as one file, and opened.
// What it returns says of a video how much of it was looked at.
function collectVerdicts({ videos, classes, fields, find, redraw, many }) {
  const judged = videos.filter((video) => video.mark), told = new Map();
  const aboutOf = (video) => ({ name: video.result, mark: video.mark, duration: video.duration });
  function foundOf(video) {
    const found = [];
    for (let i = 0; i < video.flat.length; i += fields) {
      const [start, end, kind, score] = video.flat.slice(i, i + fields);
      found.push({ start, end, label: classes[kind].label, score });
    }
    return found;
  }
  function look() {
    let looked = 0, whole = 0;
    told.clear();
    for (const video of judged) {
      const state = Verdicts.recall(video.mark), count = state.rows.filter((row) => row.kind).length, asked = state.rows.filter((row) => row.asked && !row.kind).length;
      looked += count;
      whole += Boolean(state.whole);
      if (count || asked || state.whole) told.set(video, { state, words: [count ? `${count} looked at` : "", asked ? `${asked} asked for` : "", state.whole ? "watched" : ""].filter(Boolean).join(", ") });
    }
    find("verdicts").textContent = looked || whole ? `${many(looked, "verdict")}, ${many(whole, "video")} watched whole` : "";
    find("save").disabled = find("save-json").disabled = !told.size;
  }
  function save(ending) {
    const rows = [...told].flatMap(([video, { state }]) => Verdicts.rowsOf(aboutOf(video), foundOf(video), state));
    Verdicts.save(`verdicts.${ending}`, ending === "csv" ? Verdicts.toCsv(rows) : Verdicts.toJson(rows));
  }
  function say(text) { find("trouble").textContent = text; find("trouble").hidden = !text; }
  Verdicts.opens(find("open"), find("file"), (file, text) => {
    try {
      const known = new Map(judged.map((video) => [video.result, video])), names = Object.entries(Verdicts.parse(text));
      const here = names.filter(([name]) => known.has(name));
      if (!here.length) throw new Error("it has no verdict on a video of this index");
      const kept = here.every(([name, state]) => Verdicts.keep(known.get(name).mark, Verdicts.merged(Verdicts.recall(known.get(name).mark), { ...state, name })));
      const strange = names.length - here.length;
      say(!kept ? "This browser keeps nothing for files: open the verdicts on the pages." : strange ? `${many(strange, "video")} of ${file} ${strange === 1 ? "is" : "are"} not in this index.` : "");
      look();
      redraw();
    } catch (error) { say(`${file} cannot be read: ${error.message}.`); }
  });
  find("save").addEventListener("click", () => save("csv"));
  find("save-json").addEventListener("click", () => save("json"));
  addEventListener("pageshow", (shown) => { if (shown.persisted) { look(); redraw(); } });
  addEventListener("storage", () => { look(); redraw(); });
  look();
  find("judging").hidden = !judged.length;
  return (video) => told.get(video)?.words ?? "";
}
