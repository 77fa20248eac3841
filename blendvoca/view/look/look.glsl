// Light and eyes; blendvoca/view/shading.py says the same in NumPy and holds the constants.

vec3 eye_colour(vec3 iris, vec3 white) {
  vec3 unit = normalize(iris);
  float across = length(unit.xy);
  vec3 ring = mix(IRIS_COLOUR, LIMBUS, smoothstep(0.62 * IRIS, IRIS, across));
  vec3 disc = mix(PUPIL_COLOUR, ring, smoothstep(PUPIL - 0.02, PUPIL + 0.02, across));
  return unit.z > 0.0 ? mix(disc, white, smoothstep(IRIS - 0.03, IRIS + 0.03, across)) : white;
}

// normal and eye: unit, in camera axes; colour: sRGB; open: share of ambient light; inside: 0 outside, 1 inside.
vec3 look(vec3 normal, vec3 eye, vec3 colour, float open, float ball, float inside, float gloss) {
  vec3 base = colour * colour;
  float lit_by = open * sqrt(open), shade = mix(1.0, lit_by, ball > 0.5 ? EYE_SHADE : SKIN_SHADE);
  vec3 wrap = clamp((vec3(dot(normal, KEY)) + WRAP) / (1.0 + WRAP), 0.0, 1.0);
  vec3 light = KEY_COLOUR * wrap * shade;
  light += FILL_COLOUR * clamp(dot(normal, FILL) * 0.8 + 0.2, 0.0, 1.0) * shade;
  light += mix(GROUND, SKY, normal.y * 0.5 + 0.5) * lit_by;
  float facing = clamp(dot(normal, eye), 0.0, 1.0), edge = (1.0 - facing) * (1.0 - facing) * (1.0 - facing);
  light += RIM_COLOUR * clamp(dot(normal, RIM), 0.0, 1.0) * (0.25 + edge) * open;
  // Powers of 16 (skin) and 64 (eyes) by squaring: software rendering pays dearly for pow.
  float g = clamp(dot(normal, normalize(KEY + eye)), 0.0, 1.0);
  g *= g; g *= g; g *= g; g *= g;
  if (ball > 0.5) { g *= g; g *= g; }
  vec3 lit = base * light + g * (ball > 0.5 ? EYE_SHINE : SKIN_SHINE) * gloss * shade;
  lit = mix(lit, base * INSIDE * (0.3 + 0.7 * open) * (0.7 + 0.3 * facing), inside);
  return sqrt(clamp(lit * (1.0 + lit / 5.0) / (1.0 + lit * 0.55), 0.0, 1.0));
}

vec3 heat_colour(float x) {
  vec3 colour = HEAT[0];
  for (int i = 0; i < 3; i++) colour = mix(colour, HEAT[i + 1], clamp((x - STOPS[i]) / (STOPS[i + 1] - STOPS[i]), 0.0, 1.0));
  return colour;
}
