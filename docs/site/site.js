// The copy button of a block of commands takes the commands alone, without prompts and without what they print.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-clipboard-target]");
  const code = button && document.querySelector(button.getAttribute("data-clipboard-target"));
  if (!code || !code.querySelector(".gp")) return;
  const commands = code.cloneNode(true);
  for (const part of commands.querySelectorAll(".gp, .go")) part.remove();
  button.setAttribute("data-clipboard-text", commands.textContent.replace(/\n{2,}/g, "\n").trim() + "\n");
}, true);
