// Copy a text, or print. Both buttons stay hidden without scripts.
(() => {
  const status = document.getElementById("status");
  document.querySelectorAll("[data-copy], [data-print]").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-copy], [data-print]");
    if (!button) return;
    if (!button.dataset.copy) { window.print(); return; }
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    status.textContent = "";
    setTimeout(() => { status.textContent = button.dataset.copied; }, 100);
    button.textContent = button.dataset.copied;
  });
})();
