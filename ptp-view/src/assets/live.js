// Keeps the page up to date: whatever changes, the server draws it again and <main> is replaced.
const zone = document.querySelector("#zone");
const state = document.querySelector("#live");

function showTimes(root) {
  if (!zone || zone.value === "UTC") return;
  const form = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
  for (const time of root.querySelectorAll("time")) {
    time.title = time.textContent;
    time.textContent = form.format(new Date(time.dateTime));
  }
  // Ticks of an axis: as long as they were, in the other zone.
  const two = (n) => String(n).padStart(2, "0");
  for (const tick of root.querySelectorAll("svg text[data-time]")) {
    const at = new Date(Number(tick.dataset.time));
    const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
    const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    tick.textContent = tick.textContent.includes(":") ? clock.slice(0, Math.min(8, tick.textContent.length)) : day;
  }
}

// What somebody unfolded, typed or chose stays as it is.
function keep(from, to) {
  for (const fold of from.querySelectorAll("details[id]")) {
    const same = to.querySelector(`#${CSS.escape(fold.id)}`);
    if (same) same.open = fold.open;
  }
  for (const form of from.querySelectorAll("form")) {
    const { api } = form.dataset;
    const place = api ? `[data-api="${CSS.escape(api)}"]` : `:not([data-api])[action="${CSS.escape(form.getAttribute("action"))}"]`;
    const same = to.querySelector(`form${place}`);
    if (!same) continue;
    for (const field of form.querySelectorAll("input[name], select[name]")) {
      const now = same.querySelector(`[name="${CSS.escape(field.name)}"]`);
      if (now) now.value = field.value;
    }
    const told = same.querySelector("output");
    if (told) told.textContent = form.querySelector("output")?.textContent ?? "";
  }
}

// What somebody types, chooses or marks is not taken away.
function inUse(main) {
  const selection = getSelection();
  return Boolean(document.activeElement?.closest("main form"))
    || (!selection.isCollapsed && main.contains(selection.anchorNode));
}

let busy = false, again = false, latest = Date.now();
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(10_000) });
    if (answer.status === 401) { location.reload(); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = document.querySelector("main"), fresh = page.querySelector("main");
    if (!answer.ok || !fresh) throw new Error(`answer ${answer.status}`);
    latest = Date.now();
    if (inUse(main)) {
      state.textContent = "not redrawn while you write or mark";
      state.className = "soft";
      return;
    }
    const { id, href } = document.activeElement ?? {};
    keep(main, fresh);
    main.replaceChildren(...fresh.childNodes);
    document.title = page.title;
    decorate(main);
    showTimes(main);
    forms(main);
    if (id) document.getElementById(id)?.focus({ preventScroll: true });
    else if (href) [...main.querySelectorAll("a")].find((link) => link.href === href)?.focus({ preventScroll: true });
    state.textContent = "live";
    state.className = "soft";
  } catch {
    state.textContent = `no answer since ${new Date(latest).toLocaleTimeString()}`;
    state.className = "stale";
  } finally {
    busy = false;
    if (again) { again = false; setTimeout(refresh, 200); }
  }
}

// With the write token that is typed, and that is kept nowhere.
function forms(root) {
  for (const form of root.querySelectorAll("form[data-api]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const { api, method } = form.dataset;
      const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
      const { token, ...body } = fields;
      const headers = { authorization: `Bearer ${token ?? ""}`, "content-type": "application/json" };
      const button = form.querySelector("button");
      button.disabled = true;
      let says;
      try {
        const answer = await fetch(api, { method, headers, body: method === "POST" ? JSON.stringify(body) : undefined });
        const said = await answer.json();
        says = answer.ok ? ["Done.", ...(said.warnings ?? [])].join(" ") : said.detail;
        // So that what it changed is drawn.
        if (answer.ok) document.activeElement?.blur();
      } catch (error) {
        says = String(error);
      }
      button.disabled = false;
      // It may have been drawn anew meanwhile.
      const told = document.querySelector(`form[data-api="${CSS.escape(api)}"] output`);
      if (told) told.textContent = says;
      refresh();
    });
  }
}

// Where a browser keeps nothing for us, the choice lasts as long as the page.
function remembered(value) {
  try {
    if (value) localStorage.setItem("zone", value);
    return localStorage.getItem("zone") ?? "UTC";
  } catch {
    return "UTC";
  }
}

// A browser has few connections to a place: a page that nobody looks at needs none.
let stream = null;
function listen() {
  stream?.close();
  stream = null;
  if (document.hidden) return;
  stream = new EventSource("/api/v1/stream");
  for (const kind of ["opened", "escalated", "resolved", "reopened", "updated", "missed"]) {
    // The stream is a quarter of a second ahead of the pages.
    stream.addEventListener(kind, () => setTimeout(refresh, 400));
  }
  // It tells of incidents; states and curves move on without one.
  stream.addEventListener("open", refresh);
  stream.addEventListener("error", refresh);
}

if (zone) {
  zone.value = remembered();
  zone.addEventListener("change", () => { remembered(zone.value); location.reload(); });
  showTimes(document);
  forms(document);
  listen();
  setInterval(() => { if (!document.hidden) refresh(); }, 5000);
  document.addEventListener("visibilitychange", listen);
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); document.querySelector("#search")?.focus(); }
    const page = document.querySelector(`header.top nav a[data-key="${CSS.escape(event.key)}"]`);
    if (page) location.href = page.href;
  });
}
