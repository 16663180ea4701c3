// The draws page: shares that must add up, and forms that are sent once.

for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent; });

const mixer = document.querySelector("[data-mixer]");
if (mixer) {
  const sum = mixer.querySelector("[data-sum]"), go = mixer.querySelector("[data-go]");
  const sliders = [...mixer.querySelectorAll("[data-slider]")];
  const number = (slider) => mixer.elements[slider.dataset.slider];
  const count = () => {
    const total = sliders.reduce((all, slider) => all + (Number(number(slider).value) || 0), 0);
    const off = Math.round(10 * (total - 100)) / 10;
    go.disabled = off !== 0;
    sum.textContent = off === 0 ? "Shares add up to 100 %." : `Shares add up to ${100 + off} %: ${Math.abs(off)} too ${off > 0 ? "many" : "few"}.`;
  };
  for (const slider of sliders) {
    slider.hidden = false;
    slider.addEventListener("input", () => { number(slider).value = slider.value; count(); });
    number(slider).addEventListener("input", () => { slider.value = number(slider).value; count(); });
  }
  count();
}
