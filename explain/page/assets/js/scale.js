// scale: where a moment stands on the ladder, to the scale of time or evenly.

// ticks are round numbers of microseconds up to end, a handful.
function ticks(end) {
  if (end <= 0) return [0];
  const raw = end / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
  const all = [];
  for (let us = 0; us <= end; us += step) all.push(us);
  return all;
}

// runsOf cuts a flight's rungs where encryption begins or ends.
function runsOf(flight) {
  const runs = [];
  (flight.rungs || []).forEach((rung, i) => {
    if (rung.note) return;
    const last = runs[runs.length - 1];
    if (last && last.sealed === Boolean(rung.sealed)) last.end = rung.at_us;
    else runs.push({ sealed: Boolean(rung.sealed), at: rung.at_us, end: rung.at_us, first: i });
  });
  return runs;
}
