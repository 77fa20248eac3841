// A head of the user's own: the meshes of a glTF file at rest, with their shapes, as the viewer takes rigs (codec.js).

const COMPONENTS = { 5120: Int8Array, 5121: Uint8Array, 5122: Int16Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array };
const WIDTHS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT4: 16 };
const REFUSED = ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression"];

// An accessor's numbers: strides, normalised integers and sparse ones undone.
function accessorOf({ document, binary }, index) {
  const { bufferView, byteOffset = 0, componentType, count, type, normalized, sparse } = document.accessors[index];
  const width = WIDTHS[type], values = new Float32Array(count * width);
  const numbers = (view, offset, kind, amount, across) => {
    const { buffer, byteOffset: start = 0, byteStride } = document.bufferViews[view], Type = COMPONENTS[kind], size = Type.BYTES_PER_ELEMENT;
    if (buffer) throw new Error("its data lie in other files. Save it as one .glb");
    const data = new DataView(binary.buffer, binary.byteOffset, binary.byteLength), stride = byteStride || across * size;
    const read = `get${Type.name.replace("Array", "")}`, found = new Float64Array(amount * across);
    for (let i = 0; i < amount; i++) for (let k = 0; k < across; k++) found[i * across + k] = data[read](start + offset + i * stride + k * size, true);
    return found;
  };
  if (bufferView !== undefined) values.set(numbers(bufferView, byteOffset, componentType, count, width));
  if (sparse) {
    const places = numbers(sparse.indices.bufferView, sparse.indices.byteOffset || 0, sparse.indices.componentType, sparse.count, 1);
    const given = numbers(sparse.values.bufferView, sparse.values.byteOffset || 0, componentType, sparse.count, width);
    places.forEach((place, i) => { for (let k = 0; k < width; k++) values[place * width + k] = given[i * width + k]; });
  }
  const largest = { 5120: 127, 5121: 255, 5122: 32767, 5123: 65535 }[componentType];
  return normalized && largest ? values.map((value) => Math.max(value / largest, -1)) : values;
}

const multiply = (a, b) => Float64Array.from({ length: 16 }, (_, i) => {
  const row = i % 4, column = i - row;
  return a[row] * b[column] + a[row + 4] * b[column + 1] + a[row + 8] * b[column + 2] + a[row + 12] * b[column + 3];
});

function matrixOf({ matrix, translation: t = [0, 0, 0], rotation: [x, y, z, w] = [0, 0, 0, 1], scale: s = [1, 1, 1] }) {
  if (matrix) return matrix;
  return [
    (1 - 2 * (y * y + z * z)) * s[0], 2 * (x * y + z * w) * s[0], 2 * (x * z - y * w) * s[0], 0,
    2 * (x * y - z * w) * s[1], (1 - 2 * (x * x + z * z)) * s[1], 2 * (y * z + x * w) * s[1], 0,
    2 * (x * z + y * w) * s[2], 2 * (y * z - x * w) * s[2], (1 - 2 * (x * x + y * y)) * s[2], 0, ...t, 1,
  ];
}

// The nodes that show a mesh, each with its place in the world; a skin's mesh stands where its joints put it at rest.
function shownMeshes(file) {
  const { document } = file, found = [], worlds = [];
  const visit = (index, parent) => {
    const node = document.nodes[index], world = multiply(parent, matrixOf(node));
    worlds[index] = world;
    if (node.mesh !== undefined) found.push({ node, mesh: document.meshes[node.mesh], world });
    (node.children || []).forEach((child) => visit(child, world));
  };
  const unit = matrixOf({}), scene = (document.scenes || [])[document.scene || 0];
  (scene ? scene.nodes : document.nodes.map((_, i) => i)).forEach((index) => visit(index, unit));
  for (const entry of found.filter(({ node }) => node.skin !== undefined)) {
    const { joints, inverseBindMatrices } = document.skins[entry.node.skin];
    const inverse = inverseBindMatrices === undefined ? unit : accessorOf(file, inverseBindMatrices).slice(0, 16);
    entry.world = multiply(worlds[joints[0]] || unit, inverse);
  }
  return found;
}

// Columns: `arkit` the 52 names, `groups` { group: names }, `metric` the sizes of a head in metres.
function rigOfGlb(file, { arkit, groups, metric }) {
  const { document } = file, refused = (document.extensionsRequired || []).filter((entry) => REFUSED.includes(entry));
  if (refused.length) throw new Error(`it is compressed (${refused.join(", ")}). Save it without, or bring it with \`said page --rig\``);
  const points = [], faces = [], colours = [], moves = new Map();
  for (const { mesh, world } of shownMeshes(file)) {
    const targets = targetNames(mesh), meant = matchShapes(arkit, targets);
    for (const primitive of mesh.primitives) {
      if (primitive.mode !== undefined && primitive.mode !== 4) continue;
      const own = accessorOf(file, primitive.attributes.POSITION), start = points.length / 3, count = own.length / 3;
      const place = (p, i, w) => [0, 1, 2].map((row) => world[row] * p[i] + world[row + 4] * p[i + 1] + world[row + 8] * p[i + 2] + w * world[row + 12]);
      for (let i = 0; i < own.length; i += 3) points.push(...place(own, i, 1));
      const corners = primitive.indices === undefined ? Array.from({ length: count }, (_, i) => i) : accessorOf(file, primitive.indices);
      for (const corner of corners) faces.push(start + corner);
      const paint = ((document.materials || [])[primitive.material] || {}).pbrMetallicRoughness || {};
      const shown = (paint.baseColorFactor || [0.8, 0.62, 0.53]).slice(0, 3).map((value) => Math.round(255 * value ** (1 / 2.2)));
      for (let i = 0; i < count; i++) colours.push(...(paint.baseColorTexture ? [201, 178, 164] : shown));
      (primitive.targets || []).forEach((target, k) => {
        if (target.POSITION === undefined) return;
        const label = meant[k] >= 0 ? arkit[meant[k]] : targets[k] || `shape ${k + 1}`, deltas = accessorOf(file, target.POSITION);
        const shape = moves.get(label) || { moved: [], offsets: [] };
        for (let i = 0; i < deltas.length; i += 3) {
          if (deltas[i] || deltas[i + 1] || deltas[i + 2]) { shape.moved.push(start + i / 3); shape.offsets.push(...place(deltas, i, 0)); }
        }
        moves.set(label, shape);
      });
    }
  }
  if (![...moves.keys()].some((label) => arkit.includes(label))) throw new Error("it has no shapes with ARKit's names, such as jawOpen");
  return asRig(Float32Array.from(points), Uint32Array.from(faces), Uint8Array.from(colours), moves, { groups, metric });
}

function asRig(neutral, faces, colours, moves, { groups, metric }) {
  const names = [...moves.keys()], vertices = neutral.length / 3;
  const shapes = [...moves].map(([name, { moved, offsets }]) => {
    let largest = 0;
    for (let i = 0; i < offsets.length; i += 3) largest = Math.max(largest, Math.hypot(offsets[i], offsets[i + 1], offsets[i + 2]));
    return { name, moved: Uint32Array.from(moved), offsets: Float32Array.from(offsets), largest };
  });
  const grouped = Object.entries(groups).map(([name, members]) => ({ name, shapes: names.flatMap((shape, k) => (members.includes(shape) ? [k] : [])) }));
  const other = names.flatMap((shape, k) => (Object.values(groups).some((members) => members.includes(shape)) ? [] : [k]));
  const mirrored = (text) => text.replace(/Left|Right/, (side) => (side === "Left" ? "Right" : "Left"));
  const straight = /^(jaw|mouth)(Left|Right)$/;  // directions, not sides
  const extent = Math.max(...[0, 1, 2].map((axis) => spread(neutral, axis)));
  return {
    names, vertices, neutral, faces, shapes, colours, cap: new Uint32Array(0), blob: null,
    occlusion: new Uint8Array(vertices).fill(255), eyes: new Int8Array(4 * vertices),
    groups: [...grouped, { name: "other", shapes: other }].filter((group) => group.shapes.length),
    partners: names.map((name) => (straight.test(name) || mirrored(name) === name ? -1 : names.indexOf(mirrored(name)))),
    ...framing(neutral, shapes),
    unit: extent >= metric[0] && extent <= metric[1] ? { name: "mm", scale: 1000 } : { name: "units", scale: 1 },
  };
}

function spread(points, axis) {
  let low = Infinity, high = -Infinity;
  for (let i = axis; i < points.length; i += 3) { low = Math.min(low, points[i]); high = Math.max(high, points[i]); }
  return high - low;
}

// What the camera shows first: what the shapes move tells where the face is; a body below it is left out.
function framing(neutral, shapes) {
  const reach = new Float32Array(neutral.length / 3);
  for (const { moved, offsets } of shapes) {
    moved.forEach((v, i) => { reach[v] = Math.max(reach[v], Math.hypot(offsets[3 * i], offsets[3 * i + 1], offsets[3 * i + 2])); });
  }
  const most = reach.reduce((a, b) => Math.max(a, b), 0);
  let bottom = Infinity, top = -Infinity;
  reach.forEach((value, v) => {
    if (value > 0.1 * most || !most) { bottom = Math.min(bottom, neutral[3 * v + 1]); top = Math.max(top, neutral[3 * v + 1]); }
  });
  const floor = bottom - 0.2 * (top - bottom), shown = [];
  for (let i = 0; i < neutral.length; i += 3) if (neutral[i + 1] >= floor) shown.push(neutral[i], neutral[i + 1], neutral[i + 2]);
  const ends = [0, 1, 2].map((axis) => {
    let low = Infinity, high = -Infinity;
    for (let i = axis; i < shown.length; i += 3) { low = Math.min(low, shown[i]); high = Math.max(high, shown[i]); }
    return [low, high];
  });
  return { middle: ends.map(([low, high]) => (low + high) / 2), half: ends.map(([low, high]) => (high - low) / 2) };
}
