// Tracks as tables: the authors' CSV, and Live Link Face's.

// The fewest digits that give back a float32.
function shortest(value) {
  const single = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const text = single.toPrecision(digits);
    if (Math.fround(Number(text)) === single) return String(Number(text));
  }
  return String(Number(single.toPrecision(9)));
}

function coefficientTable({ names, values, fps }) {
  const width = names.length, lines = [[...names, ...(fps === 60 ? [] : ["time"])].join(",")];
  for (let frame = 0; frame * width < values.length; frame++) {
    const cells = Array.from(values.subarray(frame * width, (frame + 1) * width), shortest);
    lines.push([...cells, ...(fps === 60 ? [] : [String(Number((frame / fps).toFixed(9)))])].join(","));
  }
  return `${lines.join("\n")}\n`;
}

const POSE = ["Head", "LeftEye", "RightEye"].flatMap((part) => ["Yaw", "Pitch", "Roll"].map((axis) => part + axis));

// `shapes`: ARKit's 52 names in the app's order. Shapes that the track lacks and all angles are zero.
function liveLinkTable({ names, values, fps }, shapes) {
  const rate = Math.round(fps), width = names.length, count = values.length / width, columns = shapes.map((shape) => names.indexOf(shape));
  // Time codes show their rate only where a second turns, so a shorter track begins just before one.
  const first = count <= rate ? rate - 1 : 0, two = (number) => String(number).padStart(2, "0");
  const header = ["Timecode", "BlendShapeCount", ...shapes.map((name) => name[0].toUpperCase() + name.slice(1)), ...POSE];
  const rest = POSE.map(() => (0).toFixed(10)), lines = [header.join(",")];
  for (let frame = 0; frame < count; frame++) {
    const at = first + frame, seconds = Math.floor(at / rate);
    const code = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60, at % rate].map(two).join(":");
    const cells = columns.map((column) => (column < 0 ? 0 : values[frame * width + column]).toFixed(10));
    lines.push([`${code}.000`, header.length - 2, ...cells, ...rest].join(","));
  }
  return `${lines.join("\n")}\n`;
}
