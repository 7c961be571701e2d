"use strict";
// Draws the curves and keeps them in the colours and the width of the page. Everything else on the page works without a script.
(() => {
  const runs = JSON.parse(document.getElementById("curves").textContent);
  const places = [...document.querySelectorAll(".curve")];
  const plots = [];
  const light = {ink: "#444", line: "#ccc", mark: "#1d4fbf"};
  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const of = name => style.getPropertyValue(name).trim();
    return {ink: of("--soft"), line: of("--line"), mark: of("--s1")};
  };
  const figure = v => v == null ? "" : v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential(2) : String(Number(v.toPrecision(4)));
  const draw = c => {
    plots.splice(0).forEach(plot => plot.destroy());
    for (const place of places) {
      const curve = runs[place.dataset.run][place.dataset.curve];
      const axis = {stroke: c.ink, grid: {stroke: c.line, width: 1}, ticks: {show: false}, font: "12px system-ui, sans-serif"};
      plots.push(new uPlot({
        width: place.clientWidth, height: 200,
        scales: {x: {time: false}},
        hooks: {
          ready: [u => u.setLegend({idx: curve.steps.length - 1})],
          draw: [u => {
            const alone = Number(place.dataset.alone); // first steps, in which the projection learns alone
            const x = Math.round(u.valToPos(alone, "x", true));
            if (alone > 0 && x >= u.bbox.left && x <= u.bbox.left + u.bbox.width) {
              u.ctx.save();
              u.ctx.setLineDash([4, 4]);
              u.ctx.strokeStyle = c.ink;
              u.ctx.beginPath();
              u.ctx.moveTo(x, u.bbox.top);
              u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
              u.ctx.stroke();
              u.ctx.restore();
            }
          }],
        },
        axes: [axis, {...axis, size: 64, values: (u, ticks) => ticks.map(figure)}],
        series: [{label: "Step", value: (u, v) => figure(v)},
          {label: curve.title, stroke: c.mark, width: 2, points: {show: curve.steps.length < 20}, value: (u, v) => figure(v)}],
      }, [curve.steps, curve.values], place));
    }
  };
  draw(colours());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(colours()));
  let timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => plots.forEach((plot, i) => plot.setSize({width: places[i].clientWidth, height: 200})), 100);
  });
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach(details => details.open = true);
    draw(light);
  });
  addEventListener("afterprint", () => {
    closed.forEach(details => details.open = false);
    draw(colours());
  });
})();
