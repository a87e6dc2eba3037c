// Time-stretched audio of @audio/stretch-wsola depends on how many samples it is given at a time.
// packages: @audio/stretch-wsola@1.2.1
//
// The search for the best place to go on ends where the samples end that have arrived, so that other blocks give other places. The stream and the
// function for whole audio differ too. Give it blocks of one size if the same audio must give the same result, and cut the
// end: a stream returns up to a window too many.
import wsola from "@audio/stretch-wsola";

const RATE = 24_000;
const voice = Float32Array.from({ length: RATE }, (_, i) => {
  const time = i / RATE;
  return (
    0.3 * Math.sin(2 * Math.PI * (130 + 20 * Math.sin(6 * time)) * time) + 0.1 * Math.sin(2 * Math.PI * 911 * time)
  );
});

function stretched(block) {
  const write = wsola({ factor: 1.25, frameSize: 1024 });
  const parts = [];
  for (let start = 0; start < voice.length; start += block) parts.push(...write(voice.slice(start, start + block)));
  return [...parts, ...write()];
}

const [small, large] = [stretched(333), stretched(RATE)];
const length = Math.min(small.length, large.length);
const different = small.slice(0, length).filter((sample, i) => sample !== large[i]).length;
console.log(
  `blocks of 333 and of ${RATE}: ${different} of ${length} samples differ; ${large.length} samples for ${Math.round(RATE * 1.25)}`,
);
const holds = different > 0 && large.length > Math.round(RATE * 1.25);
console.log(holds ? "still so" : "no longer so");
process.exitCode = holds ? 0 : 1;
