// Reports a visit through a recruiter's link to the server, then removes the link's code from the address.
(() => {
  const here = new URL(location.href), code = here.searchParams.get("via");
  if (!code || !/^[a-z0-9]{1,8}$/.test(code)) return;
  fetch(`/s/${code}/visit/`, { method: "POST", keepalive: true }).catch(() => {});
  here.searchParams.delete("via");
  history.replaceState(history.state, "", here);
})();
