// The self-check: shows one question at a time. The answers stay in this page. Only the address of the next page has the result.
(() => {
  const part = (name) => document.getElementById(name);
  const check = part("check"), step = part("check-step"), answers = part("check-answers"), help = part("help");
  const questions = [...part("check-questions").children];
  let at = 0, unsure = false;

  const ask = () => {
    questions.forEach((question, n) => { question.hidden = n !== at; });
    step.textContent = `${at + 1} / ${questions.length}`;
    if (at) questions[at].focus();
  };

  questions.forEach((question) => { question.tabIndex = -1; });
  step.hidden = answers.hidden = false;
  help.hidden = part("check-results").hidden = true;
  ask();

  answers.addEventListener("click", ({ target }) => {
    if (!target.value) return; // the donor clicked beside the buttons
    if (target.value === "no") {
      check.hidden = true;
      help.hidden = false;
      help.focus();
      return;
    }
    unsure ||= target.value === "ask";
    at += 1;
    if (at < questions.length) ask();
    else location.assign(part(unsure ? "check-ask" : "check-yes").href);
  });
})();
