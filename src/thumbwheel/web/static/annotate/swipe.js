// Right to pass, left to fail, for a thumb on a phone. What scrolls sideways, and the edges of the screen, are left alone.

const FAR = 90;

export function onSwipe(area, { pass, fail }) {
  let from = null;
  const move = (by) => {
    area.style.transform = by ? `translateX(${by}px)` : "";
    area.dataset.swipe = by > FAR ? "pass" : by < -FAR ? "fail" : "";
  };
  area.addEventListener("touchstart", (event) => {
    const { clientX: x, clientY: y } = event.touches[0];
    const taken = event.touches.length > 1 || x < 24 || x > innerWidth - 24 || scrolls(event.target, area);
    from = taken ? null : { x, y, going: false };
  }, { passive: true });
  area.addEventListener("touchmove", (event) => {
    if (!from) return;
    const x = event.touches[0].clientX - from.x, y = event.touches[0].clientY - from.y;
    if (!from.going && Math.abs(y) > 12 && Math.abs(y) > Math.abs(x)) { from = null; return; }
    from.going ||= Math.abs(x) > 12 && Math.abs(x) > 2 * Math.abs(y);
    from.by = x;
    if (from.going) move(x);
  }, { passive: true });
  const end = (event) => {
    const by = from?.going && event.type === "touchend" ? from.by : 0;
    from = null;
    move(0);
    if (by > FAR) pass(); else if (by < -FAR) fail();
  };
  area.addEventListener("touchend", end);
  area.addEventListener("touchcancel", end);
}

function scrolls(target, area) {
  for (let each = target; each instanceof Element && each !== area; each = each.parentElement) {
    if (each.scrollWidth > each.clientWidth + 4 && getComputedStyle(each).overflowX !== "visible") return true;
  }
  return false;
}
