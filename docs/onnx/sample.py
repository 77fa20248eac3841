"""Speech to blendshape coefficients with onnxruntime alone: what `said export-onnx --out MODEL.onnx` wrote, in NumPy.

python onnx_sample.py MODEL.json SPEECH.wav OUT.csv        (SPEECH: mono, 16-bit, 16 kHz)
"""

import json
import sys
import wave
from pathlib import Path

import numpy as np
import onnxruntime


def features(sound, n_frames, front):
    """Samples (S,) of zero mean and unit variance to log-mel spectra, or patches of them, (N, D) at the frames."""
    fft, hop, window = front["fft"], front["hop"], front["window"]
    hann = np.zeros(fft)
    hann[(fft - window) // 2 : (fft + window) // 2] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    padded = np.pad(sound, fft // 2)
    spectra = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, fft)[::hop] * hann)
    mel = np.linspace(*(2595 * np.log10(1 + np.array([front["low"], front["high"]]) / 700)), front["bands"] + 2)
    edges, bins = 700 * (10 ** (mel / 2595) - 1), np.linspace(0, front["rate"] / 2, fft // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    power = np.abs(spectra) ** 2 @ np.minimum(rising, falling).clip(0).T
    logs = np.log(power + front["floor"]) * front["log_scale"]
    reach, orders, length = front["reach"], front["orders"], 2 * front["reach"] + 1
    cosines = np.cos(np.arange(orders)[:, None] * (np.arange(length) + 0.5) * np.pi / length) * np.sqrt(2 / length)
    cosines[0] /= np.sqrt(2)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(logs, ((reach, reach), (0, 0)), "edge"), length, 0)
    patches = (around @ cosines.T).reshape(len(logs), -1) / np.sqrt(reach)
    values = logs if front["features"] == "spectra" else patches
    place = np.arange(n_frames) * (len(sound) / hop / n_frames)
    left = np.minimum(place.astype(int), len(values) - 2)
    share = (place - left)[:, None]
    return ((1 - share) * values[left] + share * values[left + 1]).astype(np.float32)


def sample(description, folder, sound, noise=None, seed=0, window=0):
    """Samples (S,) at 16 kHz to coefficients (T, K), drawn from `noise` (N, K), or from the seed's (NumPy's own)."""
    front, plan, view = description["front_end"], description["sampler"], description["windows"][window]
    sound, frames, fps = np.asarray(sound, np.float64), view["frames"], description["fps"]
    kept = max(round(len(sound) / front["rate"] * fps), 1)
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + front["variance_floor"])
    n = max(kept, view["least"])
    frames = min(n, frames)
    sound = np.pad(sound, (0, max(round(n / fps * front["rate"]) - len(sound), 0))) if n > kept else sound
    audio = features(sound, n, front)
    if description["encoder"]:
        encoder = onnxruntime.InferenceSession(folder / description["encoder"]["file"])
        audio = encoder.run(None, {"spectra": audio[None]})[0][0]
    gaps = -(-(n - frames) // (frames - view["overlap"]))
    starts = [round((n - frames) * i / max(gaps, 1)) for i in range(gaps + 1)]
    bump, weight = np.sin(np.pi * (np.arange(frames) + 0.5) / frames) ** 2, np.zeros(n)
    for start in starts:
        weight[start : start + frames] += bump
    network = onnxruntime.InferenceSession(folder / view["file"], providers=["CPUExecutionProvider"])
    x = np.random.default_rng(seed).standard_normal((n, len(description["names"]))) if noise is None else noise
    previous, scale, guidance = 0.0, plan["scale"], plan["guidance_scale"]
    for step in plan["steps"]:
        x0 = np.zeros_like(x, np.float64)
        for start in starts:
            cut = slice(start, start + frames)
            given = {"noisy": x[None, cut].astype(np.float32), "timestep": np.float32([step["timestep"]])}
            predictions = network.run(None, {**given, "audio": audio[None, cut]})
            clean = [to_clean(prediction[0], x[cut], step, plan) for prediction in predictions]
            guided = clean[0] if guidance == 0 else clean[0] + guidance * (clean[0] - clean[1])
            x0[cut] += (bump / weight[cut])[:, None] * guided
        clipped = x0 if plan["clip"] is None else x0.clip(-plan["clip"], plan["clip"])
        x = step["keep"] * x + step["clean"] * clipped + step["raw"] * x0 + step["before"] * previous
        previous = clipped
    return (x / scale).clip(0, 1)[:kept]


def to_clean(prediction, x, step, plan):
    """What the network predicts as clean coefficients times the scale, kept to possible ones where the plan says so."""
    signal, noise = step["signal"], step["noise"]
    kinds = {
        "sample": prediction,
        "epsilon": (x - noise * prediction) / signal,
        "v_prediction": signal * x - noise * prediction,
    }
    clean = kinds[plan["prediction"]]
    return clean.clip(0, plan["scale"]) if plan["threshold"] else clean


if __name__ == "__main__":
    model, source, target = map(Path, sys.argv[1:4])
    description = json.loads(model.read_text())
    with wave.open(str(source)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    track = sample(description, model.parent, samples)
    np.savetxt(target, track, delimiter=",", header=",".join(description["names"]), comments="", fmt="%.6g")
