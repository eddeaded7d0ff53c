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
    const place = form.getAttribute("data-api") ? "data-api" : "action";
    const same = to.querySelector(`form[${place}="${CSS.escape(form.getAttribute(place))}"]`);
    if (!same) continue;
    for (const field of form.querySelectorAll("input[name], select[name]")) {
      const now = same.querySelector(`[name="${CSS.escape(field.name)}"]`);
      if (now) now.value = field.value;
    }
    const told = same.querySelector("output");
    if (told) told.textContent = form.querySelector("output").textContent;
  }
}

let busy = false, again = false, latest = 0;
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (answer.status === 401) { location.reload(); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = document.querySelector("main"), fresh = page.querySelector("main");
    if (answer.ok && fresh) {
      const typing = document.activeElement?.closest("main form") ? document.activeElement.id : null;
      keep(main, fresh);
      main.replaceChildren(...fresh.childNodes);
      document.title = page.title;
      decorate(main);
      showTimes(main);
      forms(main);
      if (typing) document.getElementById(typing)?.focus();
    }
    latest = Date.now();
    state.textContent = "live";
    state.className = "soft";
  } catch {
    state.textContent = latest ? `no answer since ${new Date(latest).toLocaleTimeString()}` : "no answer";
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
      const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
      const { token, ...body } = fields;
      if (body.everything) body.everything = true;
      const method = form.dataset.method;
      const headers = { authorization: `Bearer ${token ?? ""}`, "content-type": "application/json" };
      const told = form.querySelector("output");
      try {
        const answer = await fetch(form.dataset.api, { method, headers, body: method === "POST" ? JSON.stringify(body) : undefined });
        const said = await answer.json();
        told.textContent = answer.ok ? ["Done.", ...(said.warnings ?? [])].join(" ") : said.detail;
        if (answer.ok) refresh();
      } catch (error) {
        told.textContent = String(error);
      }
    });
  }
}

if (zone) {
  zone.value = localStorage.getItem("zone") ?? "UTC";
  zone.addEventListener("change", () => { localStorage.setItem("zone", zone.value); location.reload(); });
  showTimes(document);
  forms(document);
  const stream = new EventSource("/api/v1/stream");
  for (const kind of ["opened", "escalated", "resolved", "reopened", "updated", "missed"]) {
    stream.addEventListener(kind, refresh);
  }
  // The stream tells of incidents; states and curves move on without one.
  stream.addEventListener("open", refresh);
  stream.addEventListener("error", refresh);
  setInterval(() => { if (!document.hidden) refresh(); }, 5000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); document.querySelector("#search")?.focus(); }
    const page = document.querySelector(`header.top nav a[data-key="${CSS.escape(event.key)}"]`);
    if (page) location.href = page.href;
  });
}
