// The clock in the footer runs on from the server's time, as fast as the demo's clock does.

const clock = document.querySelector("time[data-clock]");
if (clock) {
  const started = Date.parse(clock.dateTime);
  const began = performance.now();
  const speed = Number(clock.dataset.speed) || 1;
  const zone = clock.textContent.trim().split(" ").pop();
  const offsetMinutes = offsetOf(clock.dateTime);
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (number) => String(number).padStart(2, "0");
  setInterval(() => {
    const now = new Date(started + (performance.now() - began) * speed + offsetMinutes * 60000);
    clock.textContent = `${now.getUTCDate()} ${months[now.getUTCMonth()]} ${now.getUTCFullYear()} `
      + `${two(now.getUTCHours())}:${two(now.getUTCMinutes())} ${zone}`;
  }, 1000);
}

function offsetOf(iso) {
  const match = /([+-])(\d\d):(\d\d)$/.exec(iso);
  return match ? (match[1] === "-" ? -1 : 1) * (60 * Number(match[2]) + Number(match[3])) : 0;
}
