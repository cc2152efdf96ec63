// For other websites: gives each embedded frame the height of its content. It sets no cookie and reads nothing else.
(() => {
  addEventListener("message", ({ source, data }) => {
    if (!data || data.type !== "plasma-drives-height" || !(data.height > 0 && data.height < 20000)) return;
    for (const frame of document.querySelectorAll("iframe[data-plasma-drives]")) {
      if (frame.contentWindow === source) frame.style.height = `${Math.ceil(data.height)}px`;
    }
  });
  for (const frame of document.querySelectorAll("iframe[data-plasma-drives]")) {
    frame.contentWindow?.postMessage({ type: "plasma-drives-ask" }, "*");
  }
})();
