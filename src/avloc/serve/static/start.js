"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  // Not relative: a page whose address bears a password has relative addresses that may not be fetched.
  const here = (path) => location.origin + path;
  const most = Number(document.body.dataset.most);
  const waiting = [];
  let sending = false;

  function make(tag, kind, text) {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text) element.textContent = text;
    return element;
  }

  function row(name) {
    const item = make("li", "job");
    const bar = make("progress");
    bar.max = 1;
    bar.value = 0;
    const state = make("span", "state", "waits to be sent");
    const acts = make("span", "acts");
    item.append(make("span", "name", name), state, bar, acts);
    $("jobs").prepend(item);
    return { item, bar, state, acts, job: "" };
  }

  function act(view, words, what) {
    const button = make("button", "", words);
    button.type = "button";
    button.addEventListener("click", what);
    view.acts.append(button);
  }

  function fail(view, line) {
    view.state.textContent = line;
    view.bar.hidden = true;
    view.item.classList.add("failed");
  }

  function show(view, told) {
    document.querySelectorAll(".job.chosen").forEach((other) => other.classList.remove("chosen"));
    view.item.classList.add("chosen");
    $("page").src = here(told.files.page);
    $("report").hidden = false;
  }

  async function remove(view) {
    const answer = await fetch(here("/jobs/" + view.job), { method: "DELETE" });
    if (!answer.ok && answer.status !== 404) return fail(view, "cannot be removed: " + answer.status);
    if (view.item.classList.contains("chosen")) {
      $("report").hidden = true;
      $("page").removeAttribute("src");
    }
    view.item.remove();
  }

  function end(view, told) {
    view.bar.hidden = true;
    act(view, "Remove", () => remove(view));
    if (told.state !== "done") return fail(view, told.state + ": " + told.reason);
    const many = told.events.length === 1 ? "1 event" : told.events.length + " events";
    view.state.textContent = many + " in " + told.duration_s.toFixed(1) + " s, found in " + told.took_s.toFixed(1) + " s";
    act(view, "Show", () => show(view, told));
    const link = make("a", "", "JSON");
    link.href = here(told.files.events);
    link.download = view.job + ".events.json"; // as verdicts that the page saves name it
    view.acts.append(link);
    show(view, told);
  }

  function follow(view) {
    const source = new EventSource(here("/jobs/" + view.job + "/events"));
    source.addEventListener("progress", (event) => {
      const told = JSON.parse(event.data);
      view.state.textContent = told.state === "queued" ? "waits for a worker" : "is searched";
      view.bar.value = told.progress;
    });
    source.addEventListener("end", (event) => {
      source.close();
      end(view, JSON.parse(event.data));
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) fail(view, "the server does not know it any more");
      else view.state.textContent = "the server does not answer; trying again";
    });
  }

  function sent(view, request) {
    let told = {};
    try {
      told = JSON.parse(request.responseText);
    } catch { /* the status says enough */ }
    if (request.status !== 202 && request.status !== 200) return fail(view, told.error || "refused: " + request.status);
    view.job = told.id;
    view.bar.value = 0;
    follow(view);
  }

  function next() {
    if (sending || !waiting.length) return;
    sending = true;
    const [file, view] = waiting.shift();
    const request = new XMLHttpRequest();
    const form = new FormData();
    const ending = /\.[A-Za-z0-9]{1,5}$/.exec(file.name);
    form.append("video", file, "video" + (ending ? ending[0] : "")); // of the name, the ending alone leaves
    request.open("POST", here("/detect"));
    request.upload.addEventListener("progress", (event) => {
      view.state.textContent = "is sent";
      view.bar.value = event.total ? event.loaded / event.total : 0;
    });
    request.addEventListener("load", () => sent(view, request));
    request.addEventListener("error", () => fail(view, "could not be sent; is the server there?"));
    request.addEventListener("loadend", () => {
      sending = false;
      next();
    });
    request.send(form);
  }

  function take(files) {
    for (const file of files) {
      const view = row(file.name);
      if (file.size > most) fail(view, "has " + Math.ceil(file.size / 1e6) + " MB, more than are taken");
      else waiting.push([file, view]);
    }
    next();
  }

  $("files").addEventListener("change", () => {
    take([...$("files").files]);
    $("files").value = "";
  });
  $("drop").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") $("files").click();
  });
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      $("drop").classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => $("drop").classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  $("page").addEventListener("load", () => {
    const inside = $("page").contentDocument;
    if (!inside || !inside.body) return;
    const fit = () => { $("page").style.height = inside.documentElement.scrollHeight + "px"; };
    fit();
    new ResizeObserver(fit).observe(inside.body);
  });
})();
