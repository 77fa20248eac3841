// WebGL 2: one program, one set of buffers a head, one column (or row) of the canvas a head.

const VERTEX_SHADER = `#version 300 es
in vec3 position; in vec3 normal; in vec3 tint; in float occlusion; in vec4 eye; in float heat;
uniform mat4 clip, view;
uniform float push;
out vec3 n, at, iris, own; out float open, hot, ball;
void main() {
  gl_Position = clip * vec4(position, 1.0);
  gl_Position.z += push * gl_Position.w;
  n = mat3(view) * normal; at = (view * vec4(position, 1.0)).xyz;
  own = tint; open = occlusion; hot = heat; iris = eye.xyz; ball = eye.w;
}`;

// The light, eyes and heat colours (LOOK_GLSL) are those of pictures and videos: blendvoca/view/shading.py.
const FRAGMENT_SHADER = `#version 300 es
precision highp float;
in vec3 n, at, iris, own; in float open, hot, ball;
uniform float heated, wire, cap;
uniform vec3 ink;
out vec4 result;
${LOOK_GLSL}
void main() {
  if (wire > 0.5) { result = vec4(ink * 0.35, 0.35); return; }
  vec3 normal = normalize(n), eye = normalize(-at);
  if (cap > 0.5) {  // dark from inside, a plain cut from outside
    result = vec4(gl_FrontFacing ? CAP_DARK : heated > 0.5 ? vec3(0.44) : CAP_PLAIN, 1.0);
    return;
  }
  // At the outline slivers of far sides show; they are not the inside.
  float inside = gl_FrontFacing ? 0.0 : smoothstep(0.02, 0.3, -dot(normal, eye));
  normal = inside > 0.5 ? -normal : normal;
  vec3 colour = heated > 0.5 ? heat_colour(hot) : ball > 0.5 ? eye_colour(iris, own) : own;
  result = vec4(look(normal, eye, colour, open, heated > 0.5 ? 0.0 : ball, inside, heated > 0.5 ? 0.4 : 1.0), 1.0);
}`;

function drawsInSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const facts = gl && gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl ? gl.getParameter(facts ? facts.UNMASKED_RENDERER_WEBGL : gl.RENDERER) : "";
  if (gl) gl.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

class Renderer {
  constructor(canvas) {
    this.canvas = canvas;
    // A processor that draws in place of a graphics card takes twice as long with smooth edges while playing; there,
    // resting pictures are drawn with more pixels instead (App.rest).
    this.software = drawsInSoftware();
    const gl = canvas.getContext("webgl2", { antialias: !this.software, alpha: true, premultipliedAlpha: true });
    if (!gl) throw new Error("This page draws with WebGL 2, which this browser does not offer or has switched off.");
    this.gl = gl;
    this.program = this.link();
    this.uniforms = {};
    for (const name of ["clip", "view", "heated", "wire", "cap", "push", "ink"]) {
      this.uniforms[name] = gl.getUniformLocation(this.program, name);
    }
    this.views = [];
    this.quality = 1;
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0, 0, 0, 0);
  }

  link() {
    const gl = this.gl, program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, FRAGMENT_SHADER]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "shader");
    return program;
  }

  // Make buffers for heads of one rig.
  load(rig, count) {
    this.views.forEach((view) => this.free(view));
    this.views = Array.from({ length: count }, () => this.build(rig));
  }

  build(rig) {
    const gl = this.gl, array = gl.createVertexArray(), buffers = {};
    gl.bindVertexArray(array);
    const add = (name, size, type, normalised, data) => {
      const place = gl.getAttribLocation(this.program, name);
      buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, data, typeof data === "number" ? gl.DYNAMIC_DRAW : gl.STATIC_DRAW);
      if (place < 0) return;
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, type, normalised, 0, 0);
    };
    add("position", 3, gl.FLOAT, false, 12 * rig.vertices);
    add("normal", 3, gl.FLOAT, false, 12 * rig.vertices);
    add("heat", 1, gl.FLOAT, false, 4 * rig.vertices);
    add("tint", 3, gl.UNSIGNED_BYTE, true, rig.colours);
    add("occlusion", 1, gl.UNSIGNED_BYTE, true, rig.occlusion);
    add("eye", 4, gl.BYTE, true, rig.eyes);
    for (const name of ["faces", "cap"]) {
      buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers[name]);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, rig[name], gl.STATIC_DRAW);
    }
    gl.bindVertexArray(null);
    return { array, buffers, faces: rig.faces, corners: rig.faces.length, capCorners: rig.cap.length };
  }

  free(view) {
    Object.values(view.buffers).forEach((buffer) => this.gl.deleteBuffer(buffer));
    this.gl.deleteVertexArray(view.array);
  }

  edges(view) {
    if (view.edges) return;
    const seen = new Set(), list = [], faces = view.faces;
    for (let f = 0; f < faces.length; f += 3) {
      for (let corner = 0; corner < 3; corner++) {
        const a = faces[f + corner], b = faces[f + (corner + 1) % 3], key = Math.min(a, b) * 4294967296 + Math.max(a, b);
        if (!seen.has(key)) { seen.add(key); list.push(a, b); }
      }
    }
    view.buffers.edges = this.gl.createBuffer();
    view.edges = list.length;
    this.gl.bindBuffer(this.gl.ELEMENT_ARRAY_BUFFER, view.buffers.edges);
    this.gl.bufferData(this.gl.ELEMENT_ARRAY_BUFFER, Uint32Array.from(list), this.gl.STATIC_DRAW);
  }

  // Where head number i of count is drawn, in CSS pixels from the canvas's top left corner.
  region(i, count) {
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    const across = width >= height * 0.8;
    const w = across ? width / count : width, h = across ? height : height / count;
    return { x: across ? i * w : 0, y: across ? 0 : i * h, width: w, height: h };
  }

  resize() {
    const ratio = Math.min((window.devicePixelRatio || 1) * this.quality, Math.max(window.devicePixelRatio || 1, 2));
    const width = Math.max(Math.round(this.canvas.clientWidth * ratio), 1);
    const height = Math.max(Math.round(this.canvas.clientHeight * ratio), 1);
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
  }

  draw(heads, camera, { heated, wire, ink }) {
    const gl = this.gl;
    this.resize();
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.useProgram(this.program);
    heads.forEach((head, i) => {
      const view = this.views[i], r = this.region(i, heads.length), ratio = this.canvas.width / this.canvas.clientWidth;
      gl.viewport(r.x * ratio, this.canvas.height - (r.y + r.height) * ratio, r.width * ratio, r.height * ratio);
      gl.bindVertexArray(view.array);
      this.upload(view.buffers.position, head.positions);
      this.upload(view.buffers.normal, head.normals);
      if (heated[i]) this.upload(view.buffers.heat, head.heat);
      const matrices = camera.matrices(r.width / r.height);
      gl.uniformMatrix4fv(this.uniforms.clip, false, matrices.clip);
      gl.uniformMatrix4fv(this.uniforms.view, false, matrices.view);
      gl.uniform1f(this.uniforms.heated, heated[i] ? 1 : 0);
      gl.uniform1f(this.uniforms.wire, 0);
      // Lines lie a little before the surface, and a ragged rim before its cap.
      gl.uniform1f(this.uniforms.push, wire ? 0.0008 : 0);
      // What faces the viewer first: most of the rest is then hidden and costs no shading.
      gl.enable(gl.CULL_FACE);
      for (const side of [gl.BACK, gl.FRONT]) {
        gl.cullFace(side);
        this.triangles(view.buffers.faces, view.corners, 0);
      }
      gl.disable(gl.CULL_FACE);
      gl.uniform1f(this.uniforms.push, 0.012);
      this.triangles(view.buffers.cap, view.capCorners, 1);
      if (wire) this.drawEdges(view, ink);
    });
    gl.bindVertexArray(null);
  }

  triangles(buffer, corners, cap) {
    this.gl.uniform1f(this.uniforms.cap, cap);
    this.gl.bindBuffer(this.gl.ELEMENT_ARRAY_BUFFER, buffer);
    this.gl.drawElements(this.gl.TRIANGLES, corners, this.gl.UNSIGNED_INT, 0);
  }

  drawEdges(view, ink) {
    const gl = this.gl;
    this.edges(view);
    gl.uniform1f(this.uniforms.wire, 1);
    gl.uniform1f(this.uniforms.push, 0);
    gl.uniform3fv(this.uniforms.ink, ink);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, view.buffers.edges);
    gl.drawElements(gl.LINES, view.edges, gl.UNSIGNED_INT, 0);
    gl.disable(gl.BLEND);
  }

  upload(buffer, data) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.bufferSubData(this.gl.ARRAY_BUFFER, 0, data);
  }
}
