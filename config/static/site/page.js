// The scripts of every page: the status line, the chosen time, the end of a hold, and parts that refresh themselves.
(() => {
  const status = document.getElementById("status");
  const find = (id) => document.getElementById(id);
  let waiting;

  // Screen readers read a live region only if its text changes while the page is open, so the text comes later.
  const say = (text) => {
    clearTimeout(waiting);
    status.textContent = "";
    if (text) waiting = setTimeout(() => { status.textContent = text; }, 400);
  };

  // News: elements that report the result of the last request. States: parts that htmx swaps; they are announced after a change.
  const collectNews = (root) => [...root.querySelectorAll("[data-news]")].map((part) => part.dataset.news || part.innerText.trim()).join(" ");
  const states = new Map();
  const collectChanges = () => [...document.querySelectorAll("[data-state]")].map((part) => {
    const state = part.dataset.state || part.innerText.trim(), before = states.get(part.id);
    states.set(part.id, state);
    return before === undefined || before === state ? "" : state;
  }).join(" ").trim();

  // Show the time that the donor chose beside the button that continues.
  const showChosenTime = () => {
    const output = find("chosen-time");
    const chosen = document.querySelector("#times-form input[name=slot]:checked");
    if (!output) return;
    output.parentElement.hidden = false;
    output.textContent = chosen ? chosen.dataset.moment : output.dataset.none;
  };
  document.addEventListener("change", ({ target }) => { if (target.name === "slot") showChosenTime(); });

  // Warn the donor before a hold ends. Count from the server's response, because the donor's clock may be wrong.
  const timers = [];
  const watchHold = () => {
    const hold = find("hold");
    timers.splice(0).forEach(clearTimeout);
    if (!hold) return;
    const { seconds, warnSeconds, warning, ended } = hold.dataset;
    const show = (text) => {
      const line = find("hold-warning");
      line.textContent = text;
      line.hidden = false;
      say(text);
    };
    if (seconds - warnSeconds > 0) timers.push(setTimeout(() => show(warning), (seconds - warnSeconds) * 1000));
    timers.push(setTimeout(() => show(ended), seconds * 1000));
  };

  // Refresh a part, but not while it is paused or a member is working in it. Without `idleMs`, a member counts as working
  // in it while it has the focus.
  const findRefreshed = () => document.querySelector("[data-refreshes]");
  const pause = find("pause");
  let workedAt = Date.now();
  const pauseKey = () => `${findRefreshed().id}-paused`;
  const isPaused = () => sessionStorage.getItem(pauseKey()) === "1";
  const isWorking = (part) => part.contains(document.activeElement) && Date.now() - workedAt < (part.dataset.idleMs || Infinity);
  const showPause = () => {
    pause.parentElement.hidden = false;
    pause.setAttribute("aria-pressed", String(isPaused()));
  };
  if (pause) {
    showPause();
    pause.addEventListener("click", () => {
      sessionStorage.setItem(pauseKey(), isPaused() ? "0" : "1");
      showPause();
    });
    ["keydown", "focusin"].forEach((event) => document.addEventListener(event, () => { workedAt = Date.now(); }));
    ["htmx:beforeRequest", "htmx:beforeSwap"].forEach((event) => document.addEventListener(event, (about) => {
      const part = findRefreshed();
      const isRefresh = about.detail.requestConfig.elt === part;
      if (isRefresh && (isPaused() || isWorking(part))) about.preventDefault();
    }));
  }

  // Keep a table open that a member opened when its part is swapped.
  let opened = [];
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    opened = [...detail.target.querySelectorAll("details[id][open]")].map((part) => part.id);
  });
  document.addEventListener("htmx:afterSwap", () => { opened.forEach((id) => find(id)?.setAttribute("open", "")); });

  // After a swap, keep the focus on the same control, or move it to the new part if that control is gone.
  let focusedIn;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    focusedIn = detail.target.contains(document.activeElement) ? detail.target.id : "";
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (focusedIn && document.activeElement === document.body) find(focusedIn)?.focus({ preventScroll: true });
    focusedIn = "";
    showChosenTime();
    watchHold();
    const changes = collectChanges();
    if (changes) say(changes);
  });

  // A failed request swaps nothing, so tell the user. A form that cannot be sent keeps what was typed.
  const failed = find("failed");
  const showFailure = () => {
    failed.hidden = false;
    say(failed.innerText.trim());
  };
  const isOwnRefresh = ({ detail }) => detail.elt?.hasAttribute("data-refreshes");
  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach((event) => document.addEventListener(event, (about) => {
    if (!isOwnRefresh(about)) showFailure();
  }));
  document.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.successful) failed.hidden = true; });
  document.addEventListener("submit", (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    showFailure();
  });
  window.addEventListener("online", () => { failed.hidden = true; });

  // The browser cannot fetch the response to a POST again, so Back and Reload open the page's address instead.
  const { posted } = document.documentElement.dataset;
  if (posted) history.replaceState(null, "", posted);

  showChosenTime();
  watchHold();
  collectChanges();
  say(collectNews(document));
})();
