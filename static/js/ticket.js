// The ticket's one key of its own: Shift+Enter books what was previewed and keeps the ticket.
document.getElementById("ticket")?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.shiftKey || event.isComposing) return;
  if (!event.target.matches("input, select")) return;
  event.preventDefault();
  const form = event.currentTarget;
  const keep = form.querySelector('button[value="keep"]');
  form.requestSubmit(keep ?? form.querySelector('button[value="go"]'));
});
