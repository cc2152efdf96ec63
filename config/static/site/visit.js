// Tells the server of a visit through a recruiter's link. The address then loses the code.
(() => {
  const here = new URL(location.href), code = here.searchParams.get("via");
  if (!code || !/^[a-z0-9]{1,8}$/.test(code)) return;
  fetch(`/s/${code}/visit/`, { method: "POST", keepalive: true }).catch(() => {});
  here.searchParams.delete("via");
  history.replaceState(history.state, "", here);
})();
