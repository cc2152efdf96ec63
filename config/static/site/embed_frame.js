// In the embedded page: tells the surrounding page the height, on load, after each change and when asked.
(() => {
  if (parent === window) return;
  const content = document.getElementById("embed"), EDGE = 24;
  const tell = () => parent.postMessage({ type: "plasma-drives-height", height: content.getBoundingClientRect().bottom + scrollY + EDGE }, "*");
  new ResizeObserver(tell).observe(content);
  addEventListener("message", ({ data }) => { if (data && data.type === "plasma-drives-ask") tell(); });
  addEventListener("load", tell);
})();
